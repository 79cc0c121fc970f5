/** Active users stay logged in over a wrapped store, even on a node that has not stored the session itself. */
import { afterEach, describe, expect, it } from "vitest";
import { installHandlers } from "../../support/handlers.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { namespaceKinds, transportKinds } from "../../support/matrix.ts";
import type { WorldOptions } from "../../support/world.ts";
import { startWorld, type World } from "../../support/world.ts";
import { KeepingStore } from "./fixtures/keeping-store.ts";
import { OwnTtlStore } from "./fixtures/own-ttl-store.ts";

const MINUTE = 60_000;
const worlds: World[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

/** A visitor who has logged in on one node, with a browser at another that has just started. */
async function atAnotherNode(options: WorldOptions) {
  const open = async () => {
    const world = await startWorld({ ...options, sockets: (io) => installHandlers(io) });
    worlds.push(world);
    return world;
  };
  const { cookie } = await (await open()).visitor({ name: "ada" });
  const world = await open();
  const ada = world.browser();
  ada.cookie = cookie;
  return { world, ada };
}

describe.each([
  ["whose own ttl decides", {}],
  ["where the application says how long", { ttlMs: MINUTE }],
])("a store %s", (_name, options) => {
  const start = async () => {
    const clock = new ManualClock();
    const store = new OwnTtlStore(clock, 60);
    const { world, ada } = await atAnotherNode({ store: store as never, clock, ...options });
    return { clock, store, world, ada };
  };

  it("requests extend the session, together by one touch", async () => {
    const { clock, store, ada } = await start();
    for (let n = 1; n <= 4; n++) {
      await clock.advance(MINUTE / 2);
      const answers = await Promise.all([1, 2, 3].map(() => ada.get("/session")));
      for (const answer of answers) expect(JSON.parse(answer).data).toEqual({ name: "ada" });
      expect(store.touches).toBe(n);
    }
    await clock.advance(MINUTE - 1);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
    await clock.advance(MINUTE);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  });

  describe.each(transportKinds)("by $name", ({ transports }) => {
    it.each(namespaceKinds)("events of a socket extend it, in $name", async ({ namespace }) => {
      const { clock, store, world, ada } = await start();
      const socket = await ada.connect(namespace, { transports: [...transports] });
      for (let n = 1; n <= 6; n++) {
        expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
        await socket.emitWithAck("read");
        await expect.poll(() => store.touches).toBe(n);
        await clock.advance(MINUTE / 2);
      }
      expect(socket.connected).toBe(true);
      expect(world.errors).toEqual([]);
    });
  });

  it("an open, idle socket does not make the store be read more often, and ends when the store says so", async () => {
    const { clock, store, ada } = await start();
    const socket = await ada.connect("/");
    await expect.poll(() => store.touches).toBe(1);
    store.gets = 0;
    await clock.advance(MINUTE - 1);
    expect(store.gets).toBeLessThanOrEqual(2); // every `revalidateIntervalMs`
    const told = new Promise((resolve) => socket.once("session:end", resolve));
    await clock.advance(MINUTE);
    expect(await told).toEqual({ reason: "expired" });
  });
});

describe("a store that returns expired sessions, and is this process's own", () => {
  it("does not end a session that was active before the restart and is since", async () => {
    const clock = new ManualClock();
    const store = new KeepingStore();
    const { ada } = await atAnotherNode({
      store: store as never,
      clock,
      sharedStore: false,
      ttlMs: MINUTE,
    });
    for (let n = 0; n < 4; n++) {
      await clock.advance(MINUTE * 0.75);
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
    }
    await clock.advance(MINUTE);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  });
});
