/** When a client that may use exempt namespaces counts as refused: when it is refused another, or asks for none. */
import { afterEach, describe, expect, test } from "vitest";
import { serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { rawPackets } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let events: string[];
let denied: number;
afterEach(() => world.close());

const clock = new ManualClock();
const silence = 10_000;

async function start(options: WorldOptions = {}): Promise<void> {
  events = [];
  denied = 0;
  world = await startWorld({
    clock,
    attach: { exempt: ["/static", /^\/room-/, "/no"] },
    io: { allowEIO3: true },
    sockets: (io) => {
      io.of("/static");
      io.of(/^\/room-\d+$/);
      io.of("/no").use((_socket, next) => {
        denied++;
        next(new Error("no"));
      });
    },
    ...options,
  });
  world.sessions.on("refuse", ({ code }) => events.push(code));
}

const inUse = () => expect.poll(() => serverSockets(world.io).map(({ nsp }) => nsp.name));
const clients = () => world.io.engine.clientsCount;
const refusals = () => [events, world.sessions.stats().refused.SESSION_REQUIRED];

describe.each(["polling", "websocket"])("by %s", (transport) => {
  const open = () => rawPackets(world.url, transport, 4);

  test.each(["/static", "/room-7"])("a client that came for %s alone does not", async (namespace) => {
    await start();
    const send = await open();
    await send(`0${namespace},`);
    await inUse().toEqual([namespace]);
    expect(refusals()).toEqual([[], 0]);
    await send(`1${namespace},`);
    await inUse().toEqual([]);
    await clock.advance(silence);
    await expect.poll(clients).toBe(0);
    expect(refusals()).toEqual([[], 0]);
  });

  test("a client that the middleware of an exempt namespace refused does not", async () => {
    await start();
    const send = await open();
    await send("0/no,");
    await expect.poll(() => denied).toBe(1);
    await clock.advance(silence);
    await expect.poll(clients).toBe(0);
    expect(refusals()).toEqual([[], 0]);
  });

  test.each([
    ["the main namespace", ["0"]],
    ["another", ["0/other,"]],
    ["several", ["0", "0/other,", "0"]],
    ["one after an exempt one", ["0/static,", "0"]],
    ["one before an exempt one", ["0", "0/static,"]],
  ])("a client that is refused %s does, once", async (_name, packets) => {
    await start();
    const send = await open();
    for (const packet of packets) await send(packet);
    await expect.poll(refusals).toEqual([["SESSION_REQUIRED"], 1]);
    await clock.advance(silence);
    expect(refusals()).toEqual([["SESSION_REQUIRED"], 1]);
  });

  test("a client that is closed for its silence does", async () => {
    await start();
    await open();
    expect(refusals()).toEqual([[], 0]);
    await clock.advance(silence);
    await expect.poll(clients).toBe(0);
    expect(refusals()).toEqual([["SESSION_REQUIRED"], 1]);
  });

  test("without exempt namespaces, one that asks for none does when it is closed", async () => {
    await start({ attach: {} });
    await open();
    expect(refusals()).toEqual([[], 0]);
    await clock.advance(silence);
    await expect.poll(clients).toBe(0);
    expect(refusals()).toEqual([["SESSION_REQUIRED"], 1]);
  });
});

test("a client of revision 3 does as it comes, unless the main namespace is exempt", async () => {
  await start();
  await rawPackets(world.url, "websocket", 3);
  expect(refusals()).toEqual([["SESSION_REQUIRED"], 1]);
  await world.close();
  await start({ attach: { exempt: ["/"] } });
  await rawPackets(world.url, "websocket", 3);
  await inUse().toEqual(["/"]);
  expect(refusals()).toEqual([[], 0]);
});
