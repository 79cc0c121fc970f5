/** Express's response if a route fails with an error of this package. */
import express from "express";
import express4 from "express4";
import { type ErrorCode, errorCodes, SocketSessionError } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { startWorld, type World } from "../support/world.ts";

let world: World | undefined;
beforeEach(() => {
  vi.spyOn(console, "error").mockImplementation(() => {}); // Express logs what it answers
});
afterEach(async () => {
  vi.restoreAllMocks();
  await world?.close();
  world = undefined;
});

describe.each([
  ["5", express],
  ["4", express4],
])("Express %s", (_version, framework) => {
  test("a logout in the middle of an async route is 401, without the message, and the process goes on", async () => {
    const reached = Promise.withResolvers<void>();
    const out = Promise.withResolvers<void>();
    world = await startWorld({
      framework,
      routes: (app, sessions) => {
        app.set("env", "production");
        app.post("/slow", (req, res, next) => {
          const slow = async () => {
            const session = sessions.of(req);
            reached.resolve();
            await out.promise;
            await session.update((s) => {
              s.n = 1;
            });
            res.send("done");
          };
          slow().catch(next);
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const slow = ada.request("/slow", { method: "POST" });
    await reached.promise;
    await ada.post("/logout");
    out.resolve();
    const { status, body } = await slow;
    expect(status).toBe(401);
    expect(body).toContain("Unauthorized");
    expect(body).not.toContain("has ended");
    expect((await ada.request("/session")).status).toBe(200);
  });

  test("a store that is down is 503, and the message says nothing of the store's error", async () => {
    const store = memoryStore();
    world = await startWorld({ framework, store, routes: (app) => app.set("env", "production") });
    const ada = await world.visitor({ name: "ada" });
    const { read } = store;
    store.read = async () => {
      throw new Error("connect ECONNREFUSED db.internal");
    };
    const { status, body } = await ada.request("/session");
    expect(status).toBe(503);
    expect(body).not.toContain("db.internal");
    store.read = read;
    expect((await ada.request("/session")).status).toBe(200);
  });

  test.each(Object.entries(errorCodes))("%s is answered with its status", async (code, { status }) => {
    world = await startWorld({
      framework,
      routes: (app) => {
        app.set("env", "production");
        app.get("/failing", (_req, _res, next) =>
          next(new SocketSessionError(code as ErrorCode, "a secret")),
        );
      },
    });
    const response = await world.browser().request("/failing");
    expect(response.status).toBe(status);
    expect(response.body).not.toContain("a secret");
  });
});

test("error.expose tells error handlers not to show the message", () => {
  for (const code of Object.keys(errorCodes))
    expect(new SocketSessionError(code as ErrorCode, "text")).toMatchObject({ expose: false, code });
});
