/** The program of the guide to Passport, and what it says of the line that the recipe has for Passport. */

import { readFileSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import passport from "passport";
import type { Server } from "socket.io";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { Browser, connected, disconnected, refused } from "../support/browser.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld } from "../support/world.ts";
import { closeAfterEach } from "./close-after-each.ts";
import { withoutLines } from "./diffs.ts";
import { documentAt, root } from "./markdown.ts";
import { runExample } from "./run-example.ts";

const file = "docs/guide/examples/passport.ts";
const transports = [["polling"], ["websocket"], ["polling", "websocket"]].map((names) => ({ names }));

type EngineMiddleware = (
  req: IncomingMessage & { _query: { sid?: string }; user?: unknown },
  res: ServerResponse,
  next: () => void,
) => void;

const opened = closeAfterEach();
beforeEach(() => {
  vi.resetModules(); // the program runs again
});

test("the diff of the guide leads to the program", () => {
  const [diff] = documentAt("docs/guide/passport.md").blocks;
  expect(withoutLines("-", diff?.code ?? "")).toBe(readFileSync(join(root, file), "utf8").trimEnd());
});

describe.each(transports)("by $names", ({ names }) => {
  const logIn = (browser: Browser, password: string) =>
    browser.request("/login", {
      method: "POST",
      body: new URLSearchParams({ name: "ada", password }),
    });

  test("a page is let in after the login, when it connects again, and knows its user until the logout", async () => {
    const { url } = opened(await runExample(file));
    const browser = opened(new Browser(url));
    const socket = browser.socket("/", { transports: names });
    expect((await refused(socket)).data).toEqual({ code: "SESSION_REQUIRED" });
    expect(socket.active).toBe(false);
    expect((await logIn(browser, "wrong")).status).toBe(401);
    expect(await logIn(browser, "changeit")).toEqual({ status: 200, body: "in" });
    socket.connect();
    await connected(socket);
    await upgraded(socket);
    expect(await socket.emitWithAck("whoami")).toBe("ada");
    const ended = new Promise((resolve) => socket.once("session:end", resolve));
    const gone = disconnected(socket);
    expect((await browser.request("/logout", { method: "POST" })).status).toBe(204);
    expect(await ended).toEqual({ reason: "destroyed" });
    expect(await gone).toBe("io server disconnect");
  });

  test("the recipe's own lines for Passport may stay beside `attach`, and have pages try again and again", async () => {
    const authenticator = new passport.Passport();
    authenticator.deserializeUser((id: string, done) => done(null, { id, name: "Ada" }));
    const onlyForHandshake =
      (middleware: EngineMiddleware): EngineMiddleware =>
      (req, res, next) =>
        req._query.sid === undefined ? middleware(req, res, next) : next();
    const requireUser: EngineMiddleware = (req, res, next) => {
      if (req.user) return next();
      res.writeHead(401);
      res.end();
    };
    const socketsUser = Promise.withResolvers<unknown>();
    const sockets = (io: Server) => {
      io.engine.use(onlyForHandshake(authenticator.session()));
      io.engine.use(onlyForHandshake(requireUser));
      io.on("connection", ({ request }) => socketsUser.resolve("user" in request ? request.user : undefined));
    };
    const world = opened(await startWorld({ sockets }));

    const browser = world.browser();
    const socket = browser.socket("/", { transports: names });
    expect((await refused(socket)).data).toBeUndefined();
    expect(socket.active).toBe(true);
    await browser.post("/login", { passport: { user: "ada" } });
    await expect.poll(() => socket.connected).toBe(true); // it tries by itself
    await upgraded(socket);
    expect(await socketsUser.promise).toEqual({ id: "ada", name: "Ada" });
    expect(world.errors).toEqual([]);
  });
});
