import { expect, test } from "vitest";
import { settle } from "../support/manual-clock.ts";
import { inHand, watched, writtenElsewhere } from "./store-in-hand.ts";

test.each(["fails", "hangs"] as const)(
  "while the feed is cut and the store %s, a session is served for staleMs and no longer",
  async (outage) => {
    const hand = inHand();
    const { entry, observer } = await watched(hand, "a");
    hand.feed().broken(new Error("cut"));
    hand.store.answers = outage;
    await hand.clock.advance(59_999);
    expect(hand.hub.freshness.isServable(entry)).toBe(true);
    expect(observer.heard).toEqual([]);
    await hand.clock.advance(1);
    expect(observer.heard).toEqual(["unverified"]);
    expect(hand.hub.counts).toMatchObject({ live: 0, timers: 0 });
    expect(await hand.database.read(entry.key)).not.toBeNull();
  },
);

test("while the feed is cut, a store that answers keeps its sessions served, and is read every revalidateIntervalMs", async () => {
  const hand = inHand();
  const { observer, key } = await watched(hand, "a");
  hand.feed().broken(new Error("cut"));
  await hand.clock.advance(10 * 60_000);
  expect(observer.heard).toEqual([]);
  expect(hand.store.batches).toHaveLength(20);
  await hand.database.destroy(key, "destroyed");
  await hand.clock.advance(30_000);
  expect(observer.heard).toEqual(["destroyed"]);
});

test("a silent feed vouches for nothing: a snapshot older than staleMs is not served again", async () => {
  const hand = inHand();
  const { entry, observer } = await watched(hand, "a");
  hand.feed().alive?.(hand.clock.now());
  await hand.clock.advance(50_000);
  hand.feed().alive?.(hand.clock.now() - 1_000);
  await hand.clock.advance(58_999);
  expect(hand.hub.freshness.isServable(entry)).toBe(true);
  await hand.clock.advance(1);
  expect(observer.heard).toEqual([]); // nobody has looked, and the feed may yet speak
  expect(hand.hub.freshness.isServable(entry)).toBe(false);
  expect(observer.heard).toEqual(["unverified"]);
});

test("a feed that breaks has vouched for its sessions up to its last beat, and from then on counts revalidateIntervalMs", async () => {
  const hand = inHand();
  const { observer, key } = await watched(hand, "a");
  hand.feed().alive?.(hand.clock.now());
  await hand.clock.advance(20_000); // silent, cut from the start
  await hand.database.destroy(key, "destroyed");
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
  hand.store.batches.length = 0;
  hand.feed().broken(new Error("cut"));
  hand.store.answers = "fails";
  hand.feed().missed();
  await settle();
  expect(hand.hub.freshness.feed.state).toBe("broken");
  hand.store.answers = "at once";
  await hand.clock.advance(1_000);
  expect(hand.hub.freshness.feed.state).toBe("whole");
  expect(hand.store.batches.slice(-3)).toEqual([100, 100, 50]);
});

test("a gap during the catching up is caught up with as well", async () => {
  const hand = inHand();
  const { key, observer } = await watched(hand, "a");
  hand.feed().missed();
  hand.feed().broken(new Error("cut again"));
  await settle();
  expect(hand.hub.freshness.feed.state).toBe("broken");
  await hand.database.destroy(key, "destroyed");
  hand.feed().missed();
  await settle();
  expect(hand.hub.freshness.feed.state).toBe("whole");
  expect(observer.heard).toEqual(["destroyed"]);
});

test("an incomplete feed is not relied on alone", async () => {
  const hand = inHand();
  hand.store.feed = { kind: "a collection", complete: false };
  const { key, observer } = await watched(hand, "a");
  await hand.database.destroy(key, "destroyed"); // and its writer died before it told
  await hand.clock.advance(30_000);
  expect(observer.heard).toEqual(["destroyed"]);
});

test("a database that names its keys reaches the session by its id; missing details are read", async () => {
  const hand = inHand();
  const { key, observer } = await watched(hand, "a");
  await writtenElsewhere(hand, key, { n: 2 });
  hand.feed().changed({ kind: "changed", sid: "a" });
  await settle();
  expect(observer.heard).toEqual([{ n: 2 }]);
  hand.feed().changed({ kind: "ended", sid: "another", reason: "destroyed" });
  expect(observer.heard).toEqual([{ n: 2 }]);
  await hand.database.destroy(key, "destroyed");
  hand.feed().changed({ kind: "changed", sid: "a" });
  await settle();
  expect(observer.heard).toEqual([{ n: 2 }, "destroyed"]);
});

test("a reported change that can't be read is not waited for beyond staleMs, however alive the feed is", async () => {
  const hand = inHand();
  const { key, entry, observer } = await watched(hand, "a");
  await hand.clock.advance(3_600_000);
  await writtenElsewhere(hand, key, { n: 2 });
  hand.store.answers = "fails";
  hand.feed().alive?.(hand.clock.now());
  hand.feed().changed({ kind: "changed", sid: "a" });
  for (let beat = 0; beat < 5; beat++) {
    await hand.clock.advance(10_000);
    hand.feed().alive?.(hand.clock.now());
  }
  expect(hand.hub.freshness.isServable(entry)).toBe(true);
  await hand.clock.advance(10_000);
  expect(observer.heard).toEqual(["unverified"]);
});

test("after a late read of a change the feed vouches again", async () => {
  const hand = inHand();
  const { key, entry, observer } = await watched(hand, "a");
  await writtenElsewhere(hand, key, { n: 2 });
  hand.store.answers = "fails";
  hand.feed().changed({ kind: "changed", sid: "a" });
  await hand.clock.advance(20_000);
  hand.store.answers = "at once";
  await hand.clock.advance(20_000);
  expect(observer.heard).toEqual([{ n: 2 }]);
  await hand.clock.advance(3_600_000);
  expect(hand.hub.freshness.isServable(entry)).toBe(true);
});
