/** `socketsPerSession`: how many sockets one session may have on a server, in all namespaces and over all connections. */
import { type Namespace, Server } from "socket.io";
import type { Socket } from "socket.io-client";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { until } from "../recipe/waiting.ts";
import { connected, disconnected, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeEverywhere, transportKinds } from "../support/matrix.ts";
import { rawMessages } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";
import { comeBack, departed, startNodes } from "./recovery/departures.ts";
import { inMemory } from "./recovery/nodes.ts";
import { askFor, wayOf } from "./recovery/recoveries.ts";

let world: World;
afterEach(() => world?.close());

async function start(max: number, options: WorldOptions = {}): Promise<string[]> {
  const handled: string[] = [];
  const { sockets, ...more } = options;
  world = await startWorld({
    socketsPerSession: max,
    sockets: (io, sessions) => {
      installHandlers(io, (socket) => handled.push(socket.nsp.name));
      sockets?.(io, sessions);
    },
    ...more,
  });
  return handled;
}

const tooMany = { code: "TOO_MANY_SOCKETS" };
const alive = (sockets: readonly Socket[]) => Promise.all(sockets.map((one) => one.emitWithAck("state")));

describeEverywhere("a socket too many", ({ store, transports, namespace }) => {
  test("is refused before any middleware; the session's others go on, and another session has its own", async () => {
    const asked: string[] = [];
    const middleware: WorldOptions["sockets"] = (io) => {
      const ask = (namespace: Namespace) =>
        namespace.use((socket, next) => {
          asked.push(socket.nsp.name);
          next();
        });
      for (const name of ["/", "/admin"]) ask(io.of(name));
      io.on("new_namespace", ask);
    };
    const handled = await start(2, { store: store.open(), sockets: middleware });
    const refusals: unknown[] = [];
    const events: unknown[] = [];
    world.sessions.on("refuse", ({ code, address }) => refusals.push([code, typeof address]));
    world.sessions.on("lifecycle", (event) => event.type === "refused" && events.push(event));
    const [ada, eve] = [await world.visitor(), await world.visitor({ name: "eve" })];
    const first = await ada.connect(namespace, { transports });
    const second = await ada.connect("/admin", { transports });
    const third = ada.socket(namespace, { transports });
    expect((await refused(third)).data).toEqual(tooMany);
    expect(third.active).toBe(false);
    expect(asked).toEqual([namespace, "/admin"]);
    expect(handled).toEqual([namespace, "/admin"]);
    expect(await alive([first, second, await eve.connect(namespace, { transports })])).toEqual(
      Array(3).fill("live"),
    );
    expect(refusals).toEqual([["TOO_MANY_SOCKETS", "string"]]);
    expect(events).toMatchObject([{ type: "refused", ...tooMany }]);
    expect(world.sessions.stats().refused).toMatchObject({ TOO_MANY_SOCKETS: 1 });
    const gone = disconnected(second);
    second.disconnect();
    await gone;
    await expect.poll(() => serverSockets(world.io)).toHaveLength(2);
    third.connect();
    await connected(third);
    expect(await alive([first, third])).toEqual(["live", "live"]);
    expect(world.errors).toEqual([]);
  });
});

describe.each(transportKinds)("by $name", ({ transports: kind }) => {
  const transports = [...kind];

  test("another namespace of a connection is refused, until one of its sockets has left", async () => {
    await start(2);
    const ada = await world.visitor();
    const main = await ada.connect("/", { transports });
    const admin = main.io.socket("/admin");
    await connected(admin);
    const room = main.io.socket("/room-7");
    expect((await refused(room)).data).toEqual(tooMany);
    expect(await alive([main, admin])).toEqual(["live", "live"]);
    for (let times = 0; times < 3; times++) {
      admin.disconnect();
      await connected(room.connect());
      room.disconnect();
      await connected(admin.connect());
    }
    expect((await refused(room.connect())).data).toEqual(tooMany);
    expect(await alive([main, admin])).toEqual(["live", "live"]);
  });

  test("clients that ask in the same turn get no more than there are places", async () => {
    await start(2);
    const ada = await world.visitor();
    const sockets = Array.from({ length: 4 }, () => ada.socket("/", { transports })).flatMap((main) => [
      main,
      main.io.socket("/admin"),
      main.io.socket("/room-7"),
    ]);
    const outcomes = await Promise.all(
      sockets.map((one) =>
        connected(one).then(
          () => "in",
          ({ data }) => data.code,
        ),
      ),
    );
    expect(outcomes.filter((outcome) => outcome === "in")).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === "TOO_MANY_SOCKETS")).toHaveLength(10);
    expect(serverSockets(world.io)).toHaveLength(2);
  });
});

test("a dynamic namespace of which its only client was refused goes, as one whose last socket has left", async () => {
  await start(1, { io: { cleanupEmptyChildNamespaces: true } });
  const main = await (await world.visitor()).connect();
  expect((await refused(main.io.socket("/room-7"))).data).toEqual(tooMany);
  await expect.poll(() => world.io._nsps.has("/room-7")).toBe(false);
});

test("a socket in middleware counts, and no longer once that has refused it, or its connection has closed", async () => {
  const waiting: ((error?: Error) => void)[] = [];
  await start(2, { sockets: (io) => void io.use((_socket, next) => void waiting.push(next)) });
  const ada = await world.visitor();
  const main = await ada.connect("/admin");
  const slow = ada.socket();
  await expect.poll(() => waiting.length).toBe(1);
  expect((await refused(ada.socket("/room-7"))).data).toEqual(tooMany);
  const refusal = refused(slow);
  waiting[0]?.(new Error("no"));
  expect((await refusal).message).toBe("no");
  const second = ada.socket();
  await expect.poll(() => waiting.length).toBe(2);
  expect((await refused(ada.socket("/room-7"))).data).toEqual(tooMany);
  second.io.reconnection(false);
  second.io.engine.close(); // its middleware never answers
  await expect.poll(() => world.sessions.stats().connections).toBe(1);
  expect(await alive([main, await ada.connect("/room-7")])).toEqual(["live", "live"]);
});

describe("where a client has lost its network", () => {
  /** A session with places for two: one client that answers, and one that does not. */
  async function startWithSilent(transport: string) {
    const clock = new ManualClock();
    await start(2, { clock });
    const ada = await world.visitor();
    const silent = await rawMessages(world.url, transport, ada.cookie);
    await silent.send("0");
    await expect.poll(() => serverSockets(world.io)).toHaveLength(1);
    const live = await ada.connect("/admin");
    const next = ada.socket("/room-7");
    await expect.poll(() => silent.received.join("\n").split("\n").at(-1)).toBe("2"); // it is asked
    await live.emitWithAck("state"); // its answer came first
    return { ada, clock, silent, live, next };
  }

  test.each(["websocket", "polling"])("its place is free after 5 s, by %s", async (transport) => {
    const { clock, silent, live, next } = await startWithSilent(transport);
    await clock.advance(4_999);
    expect(next.connected).toBe(false);
    await clock.advance(1);
    await connected(next);
    await silent.closed;
    expect(await alive([live, next])).toEqual(["live", "live"]);
    expect(world.sessions.stats().refused).toMatchObject({ TOO_MANY_SOCKETS: 0 });
  });

  test("one that comes while it is asked gets its place as soon as it has left", async () => {
    const { ada, silent, live, next } = await startWithSilent("websocket");
    const other = ada.socket("/room-8");
    const waiting = [next, other].map((one) =>
      connected(one)
        .then(() => "in")
        .catch(({ data }) => data.code),
    );
    silent.close();
    expect((await Promise.all(waiting)).sort()).toEqual(["TOO_MANY_SOCKETS", "in"]);
    expect(await alive([live])).toEqual(["live"]);
  });

  test("one that leaves while it waits takes no place", async () => {
    const { ada, clock, silent, live, next } = await startWithSilent("websocket");
    next.disconnect();
    await expect.poll(() => world.sessions.stats().connections).toBe(2);
    await clock.advance(5_000);
    await silent.closed;
    expect(await alive([live, await ada.connect("/room-9")])).toEqual(["live", "live"]);
  });
});

test("all servers of the process count together, and the connections of a session that has ended no more", async () => {
  await start(1);
  const other = new Server(world.http, { path: "/other" });
  world.sessions.attach(other);
  const ada = await world.visitor();
  const main = await ada.connect();
  expect((await refused(ada.socket("/", { path: "/other" }))).data).toEqual(tooMany);
  const gone = disconnected(main);
  await ada.post("/login", { name: "ada" });
  await gone;
  await connected(main); // it comes back with the new session
  expect((await refused(ada.socket("/", { path: "/other" }))).data).toEqual(tooMany);
});

test("sockets in exempt namespaces neither count nor are refused", async () => {
  await start(1, { attach: { exempt: ["/open"] }, sockets: (io) => void io.of("/open") });
  const ada = await world.visitor();
  const open = [await ada.connect("/open"), await ada.connect("/open")];
  const main = await ada.connect();
  open.push(main.io.socket("/open"));
  await connected(main.io.socket("/open"));
  expect((await refused(ada.socket("/admin"))).data).toEqual(tooMany);
  for (const one of open) one.disconnect();
  await expect.poll(() => serverSockets(world.io)).toHaveLength(1);
  expect((await refused(ada.socket("/admin"))).data).toEqual(tooMany);
  expect(await alive([main])).toEqual(["live"]);
});

test("guests without a session are not limited; the session of a guest is", async () => {
  await start(1, { guests: "allow" });
  const guest = world.browser();
  const sockets = [await guest.connect(), await guest.connect(), await guest.connect("/admin")];
  expect(await alive(sockets)).toEqual(["guest", "guest", "guest"]);
  await world.close();
  await start(1, { guests: "create" });
  const main = await world.browser().connect();
  expect((await refused(main.io.socket("/admin"))).data).toEqual(tooMany);
});

test("a client of the protocol's revision 3 gets the code in the form of that revision", async () => {
  await start(1, { io: { allowEIO3: true } });
  const ada = await world.visitor();
  await ada.connect();
  const raw = await rawMessages(world.url, "websocket", ada.cookie, 3);
  await expect.poll(() => raw.received.join("\n")).toContain('{"code":"TOO_MANY_SOCKETS"}');
});

test("a ticket that is not good takes no place", async () => {
  await start(2, { store: memoryStore() });
  const ada = await world.visitor();
  const main = await ada.connect();
  const wrong = main.io.socket("/admin", { auth: { ticket: "x".repeat(43) } });
  for (let n = 0; n < 3; n++) {
    const refusal = refused(wrong);
    if (n > 0) wrong.connect();
    expect((await refusal).data).toEqual({ code: "TICKET_INVALID" });
  }
  expect(await alive([main, await ada.connect("/room-7")])).toEqual(["live", "live"]);
});

test("a socket that would be recovered is refused, gets nothing it missed, and is recovered once there is a place", async () => {
  const { nodes } = await startNodes(inMemory, { skipMiddlewares: true, socketsPerSession: 1 });
  world = nodes.here;
  const left = await departed(nodes, await nodes.visitor({ name: "ada" }), "websocket");
  const other = await left.tab.connect("/admin");
  const { wire, outcome, raw } = await askFor(nodes, left.tab.cookie, "websocket", wayOf(left));
  expect(outcome).toBe("TOO_MANY_SOCKETS");
  expect(wire).not.toContain("missed");
  raw.close();
  other.disconnect();
  await expect.poll(() => nodes.there.sessions.stats().connections).toBe(0);
  await comeBack(left);
  expect(left.client.recovered).toBe(true);
  await until(() => left.received.length === 2);
  await nodes.close();
});
