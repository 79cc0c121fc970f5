/** How many connections may be open that have proven no session, and whose connections count together. */
import { afterEach, expect, test } from "vitest";
import { RawPolling, rawRequest } from "../support/raw-client.ts";
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

/** How many of the connections stay open, where one is allowed for each address. */
async function openOf(forwarded: readonly string[], proxy = true): Promise<number> {
  world = await startWorld({ proxy, maxUnproven: { perAddress: 1 } });
  for (const address of forwarded) {
    await rawRequest(`${world.url}/socket.io/?EIO=4&transport=polling`, "GET", {
      "x-forwarded-for": address,
    });
  }
  return world.io.engine.clientsCount;
}

test.each([
  ["an address", ["192.0.2.1", "192.0.2.1"]],
  ["an address with ports", ["192.0.2.1:1000", "192.0.2.1:1001", "192.0.2.1"]],
  ["an address within IPv6", ["192.0.2.1", "::ffff:192.0.2.1", "::FFFF:192.0.2.1"]],
  ["one client's choice of others before it", ["198.51.100.1, 192.0.2.1", "198.51.100.2, 192.0.2.1"]],
  [
    "a network of IPv6",
    ["2001:db8:1:2::1", "2001:db8:1:2:3::", "2001:0DB8:1:2:a:b:c:d", "[2001:db8:1:2::4]:1000"],
  ],
  ["a network of IPv6 with zeros", ["2001:db8::1", "2001:db8::5:6:7:8", "2001:db8:0:0:1::"]],
  ["this machine's link", ["fe80::1%eth0", "fe80::2%eth0"]],
])("connections of %s count together", async (_name, forwarded) => {
  expect(await openOf(forwarded)).toBe(1);
});

test("connections of other addresses and networks don't", async () => {
  const addresses = ["192.0.2.1", "192.0.2.2", "2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8::1", "::1"];
  expect(await openOf([...addresses, "unknown", "x".repeat(1_000), "[::1", ":::", "%"])).toBe(11);
});

test("without a trusted proxy, the header changes nothing", async () => {
  expect(await openOf(["192.0.2.1", "192.0.2.2", "2001:db8::1"], false)).toBe(1);
});
