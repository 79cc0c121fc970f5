/** How long a client without a session may use exempt namespaces: as long as it is in one. */
import { afterEach, describe, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { rawPackets } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** Longer than anything that cuts a client off. */
const minute = 60_000;
const grace = 10_000;

const clock = new ManualClock();
const isExempt = /^\/(room-|by-function|static|slow)/;

async function start(
  attach = { exempt: [isExempt] as (string | RegExp)[] },
  options: WorldOptions = {},
): Promise<void> {
  world = await startWorld({
    ...options,
    clock,
    attach,
    io: { allowEIO3: true },
    sockets: (io) => {
      io.of("/static");
      io.of(/^\/room-\d+$/);
      io.of((name, _auth, decide) => decide(null, name === "/by-function"));
    },
  });
}

const inUse = () => expect.poll(() => serverSockets(world.io).map(({ nsp }) => nsp.name));
const clients = () => world.io.engine.clientsCount;

const ways = [3, 4].flatMap((revision) =>
  ["polling", "websocket"].flatMap((transport) =>
    ["/static", "/room-7", "/by-function"].map((namespace) => ({ revision, transport, namespace }) as const),
  ),
);

describe.each(ways)(
  "by $transport of revision $revision, in $namespace",
  ({ revision, transport, namespace }) => {
    /** Revision 3 is in the main namespace unasked. */
    const main = revision === 3 ? ["/"] : [];

    async function open() {
      await start({ exempt: [isExempt, ...main] });
      const send = await rawPackets(world.url, transport, revision as 3 | 4);
      await inUse().toEqual(main);
      return send;
    }

    test("a client stays as long as it is in one, and is closed after it has left", async () => {
      const send = await open();
      await send(`0${namespace},`);
      await inUse().toEqual([...main, namespace]);
      await clock.advance(minute);
      expect(clients()).toBe(1);
      if (revision === 3) await send("1");
      await inUse().toEqual([namespace]);
      await clock.advance(minute);
      expect(clients()).toBe(1);
      await send(`1${namespace},`);
      await inUse().toEqual([]);
      await clock.advance(grace - 1);
      expect(clients()).toBe(1);
      await clock.advance(1);
      await expect.poll(clients).toBe(0);
      expect(clock.pending).toBe(0);
    });

    test("so does a client that was refused another namespace, before or after", async () => {
      const send = await open();
      await send("0/admin,");
      await send(`0${namespace},`);
      await send("0/elsewhere,");
      await inUse().toEqual([...main, namespace]);
      await clock.advance(minute);
      expect(clients()).toBe(1);
      if (revision === 3) await send("1");
      await send(`1${namespace},`);
      await inUse().toEqual([]);
      await clock.advance(grace);
      await expect.poll(clients).toBe(0);
    });

    test("the time of a client that leaves and returns counts from when it left last", async () => {
      const send = await open();
      if (revision === 3) await send("1");
      await send(`0${namespace},`);
      await inUse().toEqual([namespace]);
      await clock.advance(minute);
      await send(`1${namespace},`);
      await inUse().toEqual([]);
      await clock.advance(grace - 1);
      await send(`0${namespace},`);
      await inUse().toEqual([namespace]);
      await clock.advance(minute);
      expect(clients()).toBe(1);
      await send(`1${namespace},`);
      await inUse().toEqual([]);
      await clock.advance(grace);
      await expect.poll(clients).toBe(0);
    });
  },
);

describe.each(["polling", "websocket"])("by %s", (transport) => {
  test.each([
    ["asks for nothing", []],
    ["is refused everywhere", ["0", "0/admin,"]],
    ["asks for an exempt namespace that does not exist", ["0/static-no,", "0/room-x,"]],
    ["is refused by the middleware of an exempt namespace", ["0/slow-no,"]],
  ])("a client that %s is closed", async (_name, packets) => {
    await start();
    world.io.of("/slow-no").use((_socket, next) => next(new Error("no")));
    const send = await rawPackets(world.url, transport, 4);
    for (const packet of packets) await send(packet);
    await clock.advance(grace);
    await expect.poll(clients).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test.each([1, grace - 1])(
    "a client that leaves %i ms after it came has as long as any other",
    async (stayMs) => {
      await start();
      const send = await rawPackets(world.url, transport, 4);
      await send("0/static,");
      await inUse().toEqual(["/static"]);
      await clock.advance(stayMs);
      await send("1/static,");
      await inUse().toEqual([]);
      await clock.advance(grace - 1);
      expect(clients()).toBe(1);
      await clock.advance(1);
      await expect.poll(clients).toBe(0);
      expect(clock.pending).toBe(0);
    },
  );

  test("a client that only middleware has refused gains no time by asking again", async () => {
    await start();
    const refused: unknown[] = [];
    world.io.of("/slow-no").use((socket, next) => {
      refused.push(socket.id);
      next(new Error("no"));
    });
    const send = await rawPackets(world.url, transport, 4);
    for (const count of [1, 2, 3]) {
      await clock.advance(grace / 4);
      await send("0/slow-no,");
      await expect.poll(() => refused).toHaveLength(count);
      await settle();
    }
    await clock.advance(grace / 4);
    await expect.poll(clients).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("a client in the middleware of an exempt namespace is not closed before that decides", async () => {
    await start();
    const asked = Promise.withResolvers<() => void>();
    world.io.of("/slow").use((_socket, next) => asked.resolve(() => next(new Error("no"))));
    const send = await rawPackets(world.url, transport, 4);
    await send("0/slow,");
    const decide = await asked.promise;
    await clock.advance(minute);
    expect(clients()).toBe(1);
    decide();
    await expect.poll(() => clock.pending).toBe(1);
    await clock.advance(grace);
    await expect.poll(clients).toBe(0);
  });

  test("a lost connection leaves no timer behind", async () => {
    await start();
    const send = await rawPackets(world.url, transport, 4);
    await send("0/static,");
    await inUse().toEqual(["/static"]);
    await clock.advance(minute);
    world.io.engine.close();
    await expect.poll(clients).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("clients in an exempt namespace don't count as unproven, and a flood of others closes none of them", async () => {
    await start(undefined, { maxUnproven: { all: 3, perAddress: 2 } });
    const open = () => rawPackets(world.url, transport, 4);
    const sends = [];
    for (let i = 0; i < 5; i++) {
      const send = await open();
      await send("0/static,");
      await inUse().toHaveLength(i + 1);
      sends.push(send);
    }
    for (let i = 0; i < 5; i++) await open();
    await expect.poll(clients).toBe(5 + 2);
    await inUse().toHaveLength(5);
    for (const send of sends) await send("1/static,");
    await inUse().toHaveLength(0);
    await expect.poll(clients).toBe(2);
    world.io.engine.close();
    await expect.poll(clients).toBe(0);
    expect(clock.pending).toBe(0);
  });

  test("close({ overMs }) closes clients in exempt namespaces as evenly as others", async () => {
    await start();
    for (let i = 0; i < 2; i++) {
      const send = await rawPackets(world.url, transport, 4);
      await send("0/static,");
      await inUse().toHaveLength(i + 1);
    }
    const closed = world.sessions.close({ overMs: 1_000 });
    await expect.poll(clients).toBe(1);
    await settle();
    expect(clients()).toBe(1);
    await clock.advance(1_000);
    await expect.poll(clients).toBe(0);
    await closed;
  });
});
