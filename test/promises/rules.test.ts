/** A rule holds for requests and sockets alike, and again at each change of the session. */
import type { ErrorRequestHandler, Express } from "express";
import type { Socket } from "socket.io-client";
import { forbiddenEvent, type LiveSessions, type SessionRule } from "socket-session";
import { afterEach, expect, test } from "vitest";
import { connected, disconnected, refused } from "../support/browser.ts";
import { namespaces } from "../support/handlers.ts";
import { followLifecycle } from "../support/lifecycle.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { sharedStores } from "../support/shared-stores.ts";
import { openStore } from "../support/store-address.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

const answering: ErrorRequestHandler = (error, _request, response, _next) => {
  response.status(error.status).json({ message: error.message, data: error.data });
};

/** An application where only ada gets into `namespace`, the path `/ruled` and the room `adas`. */
async function start(namespace: string, options: WorldOptions): Promise<World> {
  let rule: SessionRule | undefined;
  const world = await startWorld({
    ...options,
    routes(app: Express, sessions: LiveSessions) {
      rule = sessions.require(({ name }) => name === "ada", { code: "NOT_ADA" });
      app.get("/ruled", rule, (_request, response) => void response.send("in"));
      app.use(answering);
    },
    sockets(io) {
      for (const pattern of namespaces) {
        const isRuled = typeof pattern === "string" ? pattern === namespace : pattern.test(namespace);
        const place = io.of(pattern);
        if (rule && isRuled) place.use(rule);
        place.on("connection", (socket) => {
          socket.on("read", (done) => done(socket.session.data));
          socket.on("join", (done) => done(rule?.room(socket, "adas")));
          socket.on("rename", async (name, done) => {
            await socket.session.update((s) => {
              s.name = name;
            });
            io.of(socket.nsp.name).emit("secret", "after the change");
            done();
          });
        });
      }
    },
  });
  worlds.push(world);
  return world;
}

/** All that a client gets in its namespace from now on. */
function following(socket: Socket) {
  const events: unknown[][] = [];
  socket.onAny((...event) => events.push(event));
  return events;
}

describeEverywhere("a rule", ({ store, transports, namespace }) => {
  const other = namespace === "/" ? "/admin" : "/";

  test("lets in sessions that satisfy it, and refuses others, by code", async () => {
    const world = await start(namespace, { store: store.open() });
    const [ada, eve] = [await world.visitor({ name: "ada" }), await world.visitor({ name: "eve" })];
    const { brief } = followLifecycle(world.sessions);
    expect(await ada.get("/ruled")).toBe("in");
    const forbidden = await eve.request("/ruled?token=secret");
    expect(forbidden.status).toBe(403);
    expect(JSON.parse(forbidden.body)).toEqual({
      message: "the session does not satisfy a rule",
      data: { code: "NOT_ADA" },
    });
    const unknown = await world.browser().request("/ruled");
    expect(unknown.status).toBe(401);
    expect(JSON.parse(unknown.body).data).toEqual({ code: "SESSION_REQUIRED" });
    await ada.connect(namespace, { transports });
    expect((await refused(eve.socket(namespace, { transports }))).data).toEqual({ code: "NOT_ADA" });
    await eve.connect(other, { transports });
    expect(brief()).toEqual(["/ruled", namespace].map((place) => `forbidden NOT_ADA at ${place}, undefined`));
    expect(world.errors).toEqual([]);
  });

  test("takes a socket out of the namespace when a request changes the data, and nothing else", async () => {
    const world = await start(namespace, { store: store.open() });
    const ada = await world.visitor({ name: "ada" });
    const inside = await ada.connect(namespace, { transports });
    const outside = inside.io.socket(other);
    await connected(outside);
    await upgraded(inside);
    const events = following(inside);
    const { brief } = followLifecycle(world.sessions);
    const left = disconnected(inside);
    await ada.post("/write", { name: "eve" });
    expect(await left).toBe("io server disconnect");
    expect(events).toEqual([[forbiddenEvent, { code: "NOT_ADA", namespace }]]);
    expect(brief()).toEqual([`forbidden NOT_ADA at ${namespace}, undefined`]);
    expect(inside.active).toBe(false);
    expect(await outside.emitWithAck("read")).toEqual({ name: "eve" });
    expect((await ada.request("/ruled")).status).toBe(403);
    const again = refused(inside);
    inside.connect();
    expect((await again).data).toEqual({ code: "NOT_ADA" });
    await ada.post("/write", { name: "ada" });
    inside.connect();
    await connected(inside);
    expect(await inside.emitWithAck("read")).toEqual({ name: "ada" });
    expect(outside.connected).toBe(true);
    expect(world.sessions.stats().connections).toBe(1);
    expect(world.errors).toEqual([]);
  });

  test("takes the very socket out whose handler changes the data: neither a broadcast nor the answer reaches it", async () => {
    const world = await start(namespace, { store: store.open() });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    const events = following(socket);
    const left = disconnected(socket);
    socket.emit("rename", "eve", () => events.push(["answered"]));
    await left;
    expect(events).toEqual([[forbiddenEvent, { code: "NOT_ADA", namespace }]]);
    expect(world.errors).toEqual([]);
  });

  test("takes a socket out of a room, which stays in its namespace and may join again later", async () => {
    const world = await start(other, { store: store.open() });
    const ada = await world.visitor({ name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    const events = following(socket);
    const { brief } = followLifecycle(world.sessions);
    expect(await socket.emitWithAck("join")).toBe(true);
    const tell = (text: string) => world.io.of(namespace).to("adas").emit("news", text);
    tell("first");
    await ada.post("/write", { name: "eve" });
    tell("second");
    expect(await socket.emitWithAck("join")).toBe(false);
    await ada.post("/write", { name: "ada" });
    tell("third");
    expect(await socket.emitWithAck("join")).toBe(true);
    tell("fourth");
    await socket.emitWithAck("read");
    expect(events).toEqual([
      ["news", "first"],
      [forbiddenEvent, { code: "NOT_ADA", room: "adas" }],
      ["news", "fourth"],
    ]);
    expect(brief()).toEqual([`forbidden NOT_ADA at ${namespace} adas, undefined`]);
    expect(world.errors).toEqual([]);
  });
});

for (const shared of sharedStores) {
  shared.describe(`a rule on two nodes that share ${shared.name}`, () => {
    test("takes a socket out on the other node", async () => {
      const { address, clear } = shared.open();
      const here = await start("/admin", { store: await openStore(address) });
      const there = await start("/admin", { store: await openStore(address) });
      const ada = await here.visitor({ name: "ada" });
      const inside = await ada.at(there.url).connect("/admin");
      const outside = inside.io.socket("/");
      await connected(outside);
      const events = following(inside);
      const briefs = [here, there].map(({ sessions }) => followLifecycle(sessions).brief);
      const left = disconnected(inside);
      await ada.post("/write", { name: "eve" });
      expect(await left).toBe("io server disconnect");
      expect(events).toEqual([[forbiddenEvent, { code: "NOT_ADA", namespace: "/admin" }]]);
      expect(briefs.map((brief) => brief())).toEqual([[], ["forbidden NOT_ADA at /admin, undefined"]]);
      expect(await outside.emitWithAck("read")).toEqual({ name: "eve" });
      for (const socket of [inside, outside]) socket.disconnect();
      for (const world of worlds.splice(0)) await world.close();
      await clear();
    });
  });
}
