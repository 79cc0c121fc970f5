/** Many connections that end at once: they are silent at once, and their transports close a few at a time. */
import type { Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { type Browser, disconnected } from "../support/browser.ts";
import { frozenWorld } from "../support/frozen-world.ts";
import { serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const many = 60;
const atOnce = 10;

const sidOf = ({ cookie }: Browser) => decodeURIComponent(cookie).slice("sid=s:".length).split(".")[0] ?? "";

/** `many` clients, each with a session of its own. */
async function start(options: WorldOptions = {}) {
  world = await startWorld(options);
  return populate();
}

async function populate() {
  const visitors = await Promise.all(Array.from({ length: many }, () => world.visitor({ name: "ada" })));
  const clients: Socket[] = await Promise.all(
    visitors.map((visitor) => visitor.connect("/", { transports: ["websocket"], reconnection: false })),
  );
  const news: unknown[] = [];
  for (const client of clients) client.on("news", (text) => news.push(text));
  const sids = visitors.map(sidOf);
  const connected = () => serverSockets(world.io).filter((socket) => socket.connected).length;
  return { clients, sids, news, connected };
}

test("sessions that end together are silent at once, and their clients are dismissed 10 in a turn", async () => {
  const { clients, sids, news, connected } = await start();
  const sockets = serverSockets(world.io);
  const reasons: unknown[] = [];
  for (const client of clients) client.on("session:end", ({ reason }) => reasons.push(reason));
  const gone = clients.map((client) => disconnected(client));

  const ended = Promise.all(sids.map((sid) => world.sessions.end(sid)));
  expect(sockets.filter(({ session }) => session.state === "ended")).toHaveLength(many);
  expect(connected()).toBe(many - atOnce);
  world.io.emit("news", "not for them");
  await new Promise((resolve) => setImmediate(resolve));
  expect(connected()).toBe(many - 2 * atOnce);

  expect(await ended).toEqual(sids.map(() => true));
  expect(new Set(await Promise.all(gone))).toEqual(new Set(["io server disconnect"]));
  expect(reasons).toEqual(sids.map(() => "revoked"));
  expect(news).toEqual([]);
});

test.each<[string, (socket: ServerSocket) => void]>([
  ["its socket", (socket) => socket.disconnect()],
  ["the client", (socket) => socket.disconnect(true)],
  ["its room", (socket) => socket.nsp.in(socket.id).disconnectSockets(true)],
])("each page gets the reason, also if a listener of the end disconnects %s", async (_what, disconnect) => {
  const { clients, sids } = await start({
    sockets: (io) => io.on("connection", (socket) => socket.session.on("end", () => disconnect(socket))),
  });
  const reasons: unknown[] = [];
  for (const client of clients) client.on("session:end", ({ reason }) => reasons.push(reason));
  const gone = clients.map((client) => disconnected(client));
  await Promise.all(sids.map((sid) => world.sessions.end(sid)));
  expect(new Set(await Promise.all(gone))).toEqual(new Set(["io server disconnect"]));
  expect(reasons).toEqual(sids.map(() => "revoked"));
});

test("a socket whose middleware ends while the dismissal of its connection waits never connects", async () => {
  const { clients, sids } = await start();
  let joined = 0;
  const held: (() => void)[] = [];
  const late = world.io.of("/late");
  late.use((_socket, next) => held.push(next));
  late.on("connection", () => joined++);
  for (const client of clients) client.io.socket("/late");
  await expect.poll(() => held.length).toBe(many);
  const gone = clients.map((client) => disconnected(client));
  const ended = Promise.all(sids.map((sid) => world.sessions.end(sid)));
  for (const next of held) next();
  await Promise.all([ended, ...gone]);
  expect(joined).toBe(0);
});

test("an event that arrived together with the one whose handler replaces the session is not handled", async () => {
  const store = memoryStore(); // it ends a session within the call
  world = await startWorld({ store, rebindMs: 50 });
  const handled: string[] = [];
  world.io.on("connection", (socket) => {
    const { publicId } = socket.session;
    socket.on("replace", () => {
      handled.push("replace");
      void store.destroy({ sid, publicId, publicIds: [publicId] }, "replaced");
    });
    socket.on("late", () => handled.push("late"));
  });
  const ada = await world.visitor({ name: "ada" });
  const sid = sidOf(ada);
  const client = await ada.connect("/", { transports: ["polling"], reconnection: false });
  const gone = disconnected(client);
  for (const event of ["first", "replace", "late"]) client.emit(event); // one request carries the last two
  await gone;
  expect(handled).toEqual(["replace"]);
});

describe("with a clock that stands still", () => {
  test("connections that can't be verified are silent at once, and return 1,000 a second at most, about", async () => {
    const frozen = await frozenWorld();
    ({ world } = frozen);
    const { clients, news, connected } = await populate();
    const { clock } = frozen;
    const gone = clients.map((client) => disconnected(client));
    await frozen.freeze(60_000);
    world.io.emit("news", "not for them"); // each connection finds its session stale
    await settle();
    expect(world.sessions.stats().live).toBe(0);
    expect(connected()).toBe(many - atOnce);
    await clock.advance(4);
    expect(connected()).toBe(many - atOnce);
    await clock.advance(11); // a pause takes 5 to 15 ms
    expect(connected()).toBeLessThan(many - atOnce);
    await clock.advance(100);
    expect(connected()).toBe(0);
    for (const reason of await Promise.all(gone)) expect(reason).toMatch(/transport (close|error)/);
    expect(news).toEqual([]);
  });

  test("close({ overMs }) closes them evenly, serves them until then, and admits no more", async () => {
    const clock = new ManualClock();
    const { connected } = await start({ clock });
    let isClosed = false;
    const closed = world.sessions.close({ overMs: 5_900 }).then(() => {
      isClosed = true;
    });
    await expect.poll(connected).toBe(many - 1);
    await clock.advance(2_950); // one each 100 ms
    await expect.poll(connected).toBe(many / 2);
    const [left] = serverSockets(world.io).filter((socket) => socket.connected);
    expect(left?.session.state).toBe("live");
    const refused = await fetch(`${world.url}/socket.io/?EIO=4&transport=polling`);
    expect(refused.status).toBe(503);
    expect(isClosed).toBe(false);
    await clock.advance(2_950);
    await expect.poll(connected).toBe(0);
    await closed;
  });
});

test.each([
  [{ overMs: -1 }, "`overMs` expects milliseconds, 0 or more"],
  [{ overMs: Number.NaN }, "`overMs` expects milliseconds"],
  [{ over: 5 }, "Write `overMs` instead"],
  [30_000, "expects an object of options"],
  [() => {}, "expects no callback"],
  ["SIGTERM", "it was a string of 7 characters. As a listener, write () => sessions.close()."],
])("close(%o) is refused before anything is closed", async (options, message) => {
  world = await startWorld();
  await expect(Reflect.apply(world.sessions.close, world.sessions, [options])).rejects.toMatchObject({
    code: "INVALID_OPTION",
    message: expect.stringContaining(message),
  });
  const ada = await world.visitor({ name: "ada" });
  expect((await ada.connect()).connected).toBe(true);
});
