/** Data that a client sends may end up in its session: it harms no session, its own included, and no reader of them. */
import type { NextFunction, Request, Response } from "express";
import { signIn } from "socket-session/testing";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import {
  describeKinds,
  describeStores,
  namespaceKinds,
  storeKinds,
  transportKinds,
} from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const invalid = { code: "SESSION_INVALID_DATA", message: expect.stringContaining('"list"') };

/** A route that keeps what `hostile` gives, and tells the code of what became of it. */
const keeping = (hostile: () => unknown) => async (req: Request, res: Response, next: NextFunction) => {
  Object.assign(req.session, { list: hostile() });
  req.session.save((error?: unknown) => {
    Reflect.deleteProperty(req.session, "list"); // express-session saves again at the end of the request
    if (error) res.send(Object(error).code);
    else next(new Error("Expected the save to fail."));
  });
};

describeStores("data that is too deep or too large", ({ store }) => {
  const hostile: { what: string; make: () => unknown; byRequest: boolean }[] = [
    { what: "64 levels", make: () => nested(64), byRequest: true },
    { what: "1,500 levels", make: () => nested(1_500), byRequest: true },
    { what: "2,300 levels", make: () => nested(2_300), byRequest: false }, // express-session itself can't
    { what: "more levels than JSON can write", make: () => nested(100_000), byRequest: false },
    { what: "two megabytes", make: () => ["x".repeat(1 << 21)], byRequest: true },
  ];
  test.each(hostile)(
    "of $what is refused before anything is written, and the session goes on",
    async (one) => {
      world = await startWorld({
        store: store.open(),
        sockets: (io) => installHandlers(io),
        routes: (app) => app.post("/keep", keeping(one.make)),
      });
      const ada = await world.visitor({ name: "ada", n: 1 });
      const socket = await ada.connect();
      const [serverSide] = serverSockets(world.io);
      const update = serverSide?.session.update((s) => Object.assign(s, { n: 2, list: one.make() }));
      await expect(update).rejects.toMatchObject(invalid);
      if (one.byRequest) expect(await ada.post("/keep")).toBe("SESSION_INVALID_DATA");
      await expect(signIn(world.sessions, Object({ list: one.make() }))).rejects.toMatchObject(invalid);
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1 });
      expect(await socket.emitWithAck("read")).toEqual({ name: "ada", n: 1 });
      expect(await socket.emitWithAck("increment")).toBe(2);
      expect(world.errors).toEqual([]);
    },
  );

  test("by maxSessionBytes is limited as the application says", async () => {
    world = await startWorld({ store: store.open(), maxSessionBytes: 2_000 });
    const ada = await world.visitor({ name: "ada" });
    await ada.connect();
    const live = serverSockets(world.io)[0]?.session;
    const write = (big: string) =>
      live?.update((s) => {
        s.big = big;
      });
    await write("x".repeat(1_500));
    await expect(write("x".repeat(2_000))).rejects.toMatchObject({
      code: "SESSION_INVALID_DATA",
      message: expect.stringMatching(/"big".*maxSessionBytes/),
    });
    expect(JSON.parse(await ada.get("/session")).data.big).toHaveLength(1_500);
  });
});

describeKinds(
  "a session that can't be read",
  ({ open, damage }) => {
    test.each([
      { what: "is of another shape", text: '{"token":"s3cret"}' },
      { what: "is no object", text: '"s3cret"' },
      {
        what: "is nested too deeply",
        text: `{"cookie":{},"userId":"ada","list":${JSON.stringify(nested(3_000))}}`,
      },
    ])("because it $what does not affect the other sessions of its user", async ({ text }) => {
      world = await startWorld({
        store: open(),
        userId: (data) => data.userId,
        sockets: (io) => installHandlers(io),
      });
      const [phone, stolen, laptop] = await Promise.all(
        ["phone", "stolen", "laptop"].map((name) => world.visitor({ userId: "ada", name })),
      );
      const socket = await laptop?.connect();
      const { id } = JSON.parse((await stolen?.get("/session")) ?? "");
      await damage?.(id, text);
      const failed = await stolen?.request("/session");
      expect(failed?.status).toBe(500);
      expect(failed?.body).toContain("Expected a stored session");
      expect(JSON.parse((await phone?.get("/session")) ?? "").data).toEqual({ userId: "ada", name: "phone" });
      expect(await socket?.emitWithAck("read")).toEqual({ userId: "ada", name: "laptop" });
      expect(await world.sessions.user("ada").list()).toHaveLength(2);
      const gone = socket && disconnected(socket);
      expect(await world.sessions.user("ada").end()).toBe(3);
      await gone;
      expect(await world.sessions.user("ada").end()).toBe(0);
      expect(JSON.parse((await stolen?.get("/session")) ?? "").data).toEqual({});
    });

    describe.each(["refuse", "allow"] as const)("with guests: %s", (guests) => {
      test.each(transportKinds)("is refused for good at a handshake by $name", async ({ transports }) => {
        const refusals: unknown[] = [];
        world = await startWorld({
          store: open(),
          guests,
          sockets: (io, sessions) => {
            installHandlers(io);
            sessions.on("refuse", ({ code, cause }) => refusals.push([code, Object(cause).code]));
          },
        });
        const ada = await world.visitor({ name: "ada" });
        await damage?.(JSON.parse(await ada.get("/session")).id, '{"token":"s3cret"}');
        for (const { namespace } of namespaceKinds) {
          const socket = ada.socket(namespace, { transports: [...transports] });
          expect((await refused(socket)).data).toEqual({ code: "SESSION_ENDED" });
          expect(socket.active).toBe(false); // it does not try again
        }
        expect(refusals).toEqual(Array(3).fill(["SESSION_ENDED", "SESSION_UNREADABLE"]));
        // and perhaps of a read that the feed asked for
        expect(new Set(world.errors.map((error) => Reflect.get(Object(error), "code")))).toEqual(
          new Set(["SESSION_UNREADABLE"]),
        );
        expect(world.errors.map(String).join()).not.toContain("s3cret");
      });
    });
  },
  storeKinds.filter(({ damage }) => damage !== undefined),
);
