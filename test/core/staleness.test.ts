import { expect, test } from "vitest";
import type { FeedListener, SessionKey, SessionStore, StoredSession } from "../../src/core/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, listening, liveSet, stored } from "./live-set.ts";

/** A store whose feed is in the hands of the test, and whose reads fail or hang as it says. */
function inHand() {
  const clock = new ManualClock();
  const memory = memoryStore({ clock });
  const listeners: FeedListener[] = [];
  const batches: number[] = [];
  let outage: "none" | "fails" | "hangs" = "none";
  const through = async <T>(operation: () => Promise<T>): Promise<T> => {
    if (outage === "fails") throw new Error("the store is down");
    if (outage === "hangs") return new Promise<T>(() => {});
    return operation();
  };
  const store: SessionStore = Object.assign(Object.create(memory), {
    changes: async (listener: FeedListener) => {
      listeners.push(listener);
      return async () => {};
    },
    read: (key: SessionKey) => through(() => memory.read(key)),
    readMany: (keys: readonly SessionKey[]) =>
      through(async () => {
        batches.push(keys.length);
        return Promise.all(keys.map((key) => memory.read(key)));
      }),
    create: memory.create.bind(memory),
    replace: memory.replace.bind(memory),
    close: memory.close.bind(memory),
  });
  const set = liveSet(store, clock);
  return {
    set,
    clock,
    memory,
    batches,
    feed: () => listeners[0] as FeedListener,
    setOutage: (now: typeof outage) => {
      outage = now;
    },
  };
}

async function watched(hand: ReturnType<typeof inHand>, sid: string) {
  const key = await stored(hand.set, sid, { n: 1 });
  const observer = listening();
  const entry = hand.set.hub.observe(key, observer);
  await hand.set.hub.load(entry);
  return { key, observer, entry };
}

test.each(["fails", "hangs"] as const)(
  "while the feed is cut and the store %s, a session is served for staleMs and no longer",
  async (outage) => {
    const hand = inHand();
    const { entry, observer } = await watched(hand, "a");
    hand.feed().broken(new Error("cut"));
    hand.setOutage(outage);
    await hand.clock.advance(59_999);
    expect(hand.set.hub.isServable(entry)).toBe(true);
    expect(observer.heard).toEqual([]);
    await hand.clock.advance(1);
    expect(observer.heard).toEqual(["unverified"]);
    expect(hand.set.hub.counts).toMatchObject({ live: 0, timers: 0 });
    expect(await hand.memory.read(entry.key)).not.toBeNull();
  },
);

test("while the feed is cut, a store that answers keeps its sessions served, and is asked every revalidateIntervalMs", async () => {
  const hand = inHand();
  const { observer, key } = await watched(hand, "a");
  hand.feed().broken(new Error("cut"));
  await hand.clock.advance(10 * 60_000);
  expect(observer.heard).toEqual([]);
  expect(hand.batches).toHaveLength(20);
  await hand.memory.destroy(key, "destroyed");
  await hand.clock.advance(30_000);
  expect(observer.heard).toEqual(["destroyed"]);
});

test("a feed that stays silent vouches for nothing: what is older than staleMs is not served once more", async () => {
  const hand = inHand();
  const { entry, observer } = await watched(hand, "a");
  hand.feed().alive?.(hand.clock.now());
  await hand.clock.advance(50_000);
  hand.feed().alive?.(hand.clock.now() - 1_000);
  await hand.clock.advance(58_999);
  expect(hand.set.hub.isServable(entry)).toBe(true);
  await hand.clock.advance(1);
  expect(observer.heard).toEqual([]); // nobody has looked, and the feed may yet speak
  expect(hand.set.hub.isServable(entry)).toBe(false);
  expect(observer.heard).toEqual(["unverified"]);
});

test("a feed that breaks has vouched for its sessions up to its last sign of life, and from then on counts revalidateIntervalMs", async () => {
  const hand = inHand();
  const { observer, key } = await watched(hand, "a");
  hand.feed().alive?.(hand.clock.now());
  await hand.clock.advance(20_000); // silent, cut from the start
  await hand.memory.destroy(key, "destroyed");
  hand.feed().broken(new Error("silent"));
  await hand.clock.advance(9_999);
  expect(observer.heard).toEqual([]);
  await hand.clock.advance(1);
  expect(observer.heard).toEqual(["destroyed"]);
});

test("after a gap the feed counts as whole only when every live session has been read, in batches", async () => {
  const hand = inHand();
  for (let i = 0; i < 250; i++) await watched(hand, `sid ${i}`);
  await settle();
  hand.batches.length = 0;
  hand.feed().broken(new Error("cut"));
  hand.setOutage("fails");
  hand.feed().missed();
  await settle();
  expect(hand.set.hub.feed).toBe("broken");
  hand.setOutage("none");
  await hand.clock.advance(1_000);
  expect(hand.set.hub.feed).toBe("whole");
  expect(hand.batches.slice(-3)).toEqual([100, 100, 50]);
});

test("a gap during the catching up is caught up with as well", async () => {
  const hand = inHand();
  const { key, observer } = await watched(hand, "a");
  hand.feed().missed();
  hand.feed().broken(new Error("cut again"));
  await settle();
  expect(hand.set.hub.feed).toBe("broken");
  await hand.memory.destroy(key, "destroyed");
  hand.feed().missed();
  await settle();
  expect(hand.set.hub.feed).toBe("whole");
  expect(observer.heard).toEqual(["destroyed"]);
});

test("a feed that does not tell of every write is not relied on alone", async () => {
  const hand = inHand();
  Object.assign(hand.set.store, { feed: { kind: "a collection", complete: false } });
  const { key, observer } = await watched(hand, "a");
  await hand.memory.destroy(key, "destroyed"); // and its writer died before it told
  await hand.clock.advance(30_000);
  expect(observer.heard).toEqual(["destroyed"]);
});

test("a database that names its keys reaches the session by its id; what it does not say is looked up", async () => {
  const hand = inHand();
  const { key, observer } = await watched(hand, "a");
  const { revision } = (await hand.memory.read(key)) as StoredSession;
  await hand.memory.replace(key, revision, { cookie, n: 2 }, "keep");
  hand.feed().changed({ kind: "changed", sid: "a" });
  await settle();
  expect(observer.heard).toEqual([{ n: 2 }]);
  hand.feed().changed({ kind: "ended", sid: "another", reason: "destroyed" });
  expect(observer.heard).toEqual([{ n: 2 }]);
  await hand.memory.destroy(key, "destroyed");
  hand.feed().changed({ kind: "changed", sid: "a" });
  await settle();
  expect(observer.heard).toEqual([{ n: 2 }, "destroyed"]);
});
