/** How many connections may be open that have proven no session. */
import { afterEach, expect, test } from "vitest";
import { RawPolling } from "../support/raw-client.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const start = async (options: WorldOptions) => {
  world = await startWorld(options);
};

/** An unproven connection by way of proxies, each of which adds the address of its peer. */
async function open(...forwarded: string[]): Promise<RawPolling> {
  const polling = new RawPolling(world.url, { "x-forwarded-for": forwarded.join(", ") });
  polling.sid = JSON.parse((await polling.send("GET")).body.slice(1)).sid;
  return polling;
}

const isOpen = async (polling: RawPolling) => (await polling.send("POST", "40")).status === 200;

test("in all: one more closes the oldest", async () => {
  await start({ proxy: true, maxUnproven: { all: 3, perAddress: 2 } });
  const opened = [await open("1.1.1.1"), await open("2.2.2.2"), await open("3.3.3.3"), await open("4.4.4.4")];
  expect(await Promise.all(opened.map(isOpen))).toEqual([false, true, true, true]);
});

test("for each address: one more closes the oldest of that address", async () => {
  await start({ proxy: true, maxUnproven: { perAddress: 1 } });
  const opened = [await open("1.1.1.1"), await open("2.2.2.2"), await open("1.1.1.1")];
  expect(await Promise.all(opened.map(isOpen))).toEqual([false, true, true]);
});

test("the address is the one that the trusted proxy has added, whatever the client claims", async () => {
  await start({ proxy: true, maxUnproven: { perAddress: 1 } });
  const opened = [await open("9.9.9.9", "1.1.1.1"), await open("8.8.8.8", "1.1.1.1")];
  expect(await Promise.all(opened.map(isOpen))).toEqual([false, true]);
});

test("without a trusted proxy it is the peer's", async () => {
  await start({ maxUnproven: { perAddress: 1 } });
  const opened = [await open("1.1.1.1"), await open("2.2.2.2")];
  expect(await Promise.all(opened.map(isOpen))).toEqual([false, true]);
});

test("a connection that has its session, or has closed, does not count; and an unproven one has nothing in the hub", async () => {
  await start({ maxUnproven: { all: 1 } });
  const ada = await world.visitor();
  const socket = await ada.connect();
  const first = await open();
  expect(world.sessions.stats()).toMatchObject({ live: 1, connections: 1 });
  await first.send("POST", "1"); // closes the transport
  const second = await open();
  expect(await isOpen(second)).toBe(true);
  expect(socket.connected).toBe(true);
});
