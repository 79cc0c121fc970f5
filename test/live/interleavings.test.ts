/** Overtaking reads, writes, changes and gaps of the feed, and clock steps, in the orders that are easy to get wrong. */
import { describe, expect, test } from "vitest";
import { settle } from "../support/manual-clock.ts";
import { cookie, listening, stored } from "./live-set.ts";
import { SetBackClock } from "./set-back-clock.ts";
import { type Hand, inHand, watched, writtenElsewhere } from "./store-in-hand.ts";

/** A feed that tells of its life, and of nothing else, for `ms`. */
async function quiet(hand: Hand, ms: number) {
  for (let passed = 0; passed < ms; passed += 5_000) {
    hand.feed().alive?.(hand.clock.now());
    await hand.clock.advance(5_000);
  }
  hand.feed().alive?.(hand.clock.now());
}

describe("a gap that the feed reports without having broken", () => {
  test("counts from its report: one read that fails after it ends no session", async () => {
    const hand = inHand();
    const { entry, observer } = await watched(hand, "a");
    await quiet(hand, 600_000);
    hand.store.answers = "fails";
    hand.feed().missed();
    await settle();
    hand.store.answers = "at once";
    await hand.clock.advance(5_000);
    hand.feed().alive?.(hand.clock.now());
    expect(observer.heard).toEqual([]);
    expect(hand.hub.freshness.isServable(entry)).toBe(true);
  });

  test("leaves the feed broken until the sessions have been read again", async () => {
    const hand = inHand();
    await watched(hand, "a");
    expect(hand.hub.freshness.feed.state).toBe("whole");
    hand.store.answers = "held";
    hand.feed().missed();
    await settle();
    expect(hand.hub.freshness.feed.state).toBe("broken");
    hand.store.letGo();
    await settle();
    expect(hand.hub.freshness.feed.state).toBe("whole");
  });

  test("is not closed by beats: sessions that could not be read since are served for staleMs", async () => {
    const hand = inHand();
    const { entry, observer } = await watched(hand, "a");
    hand.store.answers = "hangs";
    hand.feed().missed();
    await quiet(hand, 5_000);
    expect(hand.hub.freshness.feed.state).toBe("broken");
    await quiet(hand, 50_000);
    expect(hand.hub.freshness.isServable(entry)).toBe(true);
    await quiet(hand, 5_000);
    expect(hand.hub.freshness.isServable(entry)).toBe(false);
    expect(observer.heard).toEqual(["unverified"]);
  });
});

test.each([
  { when: "while it is whole", breaks: false },
  { when: "when it breaks", breaks: true },
])("an incomplete feed vouches for nothing, $when", async ({ breaks }) => {
  const hand = inHand();
  hand.store.feed = { kind: "pub/sub", complete: false };
  const { entry, key } = await watched(hand, "a");
  hand.store.answers = "fails";
  await hand.database.destroy(key, "destroyed"); // by another package, which tells nobody
  await quiet(hand, 55_000);
  expect(hand.hub.freshness.isServable(entry)).toBe(true);
  if (breaks) hand.feed().broken(new Error("cut"));
  await quiet(hand, 5_000);
  expect(hand.hub.freshness.isServable(entry)).toBe(false);
});

describe("a clock that is set back", () => {
  test("delays no check that is due while the feed is cut", async () => {
    const clock = new SetBackClock();
    const hand = inHand(clock);
    const { observer, key } = await watched(hand, "a");
    hand.feed().broken(new Error("cut"));
    clock.setBack(3_600_000);
    await hand.database.destroy(key, "destroyed");
    await clock.advance(30_000);
    expect(observer.heard).toEqual(["destroyed"]);
  });

  test.each([
    { vouches: "a read", cut: true },
    { vouches: "the feed", cut: false },
  ])("makes a snapshot no younger if $vouches vouches for it", async ({ cut }) => {
    const clock = new SetBackClock();
    const hand = inHand(clock);
    const { entry } = await watched(hand, "a");
    hand.feed().alive?.(clock.now());
    if (cut) hand.feed().broken(new Error("cut"));
    hand.store.answers = "fails";
    clock.setBack(3_600_000);
    expect(hand.hub.freshness.isServable(entry)).toBe(true);
    await clock.advance(60_000);
    expect(hand.hub.freshness.isServable(entry)).toBe(false);
  });
});

describe("a change during a read", () => {
  test("back to the content of the snapshot is read, because the answer may be older", async () => {
    const hand = inHand();
    hand.store.revisions = "of content";
    const { entry, key } = await watched(hand, "a");
    hand.store.answers = "held";
    (await writtenElsewhere(hand, key, { n: 1, typing: true }))();
    await settle();
    (await writtenElsewhere(hand, key, { n: 1 }))();
    hand.store.answers = "at once";
    hand.store.letGo();
    await settle();
    expect(entry.snapshot?.data).toEqual({ n: 1 });
  });

  test("in any turn around its answer: the store is read once more", async () => {
    const lost: number[] = [];
    for (let turns = 0; turns < 30; turns++) {
      const hand = inHand();
      const { entry, key } = await watched(hand, "a");
      hand.store.answers = "held";
      const loading = hand.hub.reads.load(entry);
      await settle();
      const { asked } = hand.store;
      hand.store.answers = "at once";
      hand.store.letGo();
      let turn = Promise.resolve();
      for (let i = 0; i < turns; i++) turn = turn.then(() => {});
      const told = turn.then(() =>
        hand.feed().changed({ kind: "changed", publicIds: key.publicIds, write: "another" }),
      );
      await Promise.all([loading, told]);
      await settle();
      if (hand.store.asked === asked) lost.push(turns);
    }
    expect(lost).toEqual([]);
  });

  test("reload() within a listener of the change that the read brought reads the store again", async () => {
    const hand = inHand();
    const { key, entry } = await watched(hand, "a");
    const asked: number[] = [];
    hand.hub.observe(key, {
      changed: async () => {
        asked.push(hand.store.asked);
        await hand.hub.reads.load(entry);
        asked.push(hand.store.asked);
      },
    });
    (await writtenElsewhere(hand, key, { n: 2 }))();
    await settle();
    expect(asked).toEqual([2, 3]);
  });

  test("is followed by more, faster than reads: load() settles all the same, and the last change is read", async () => {
    const hand = inHand();
    const key = await stored(hand.set, "a", { n: 0 });
    const entry = hand.hub.observe(key, listening());
    hand.store.answers = "held";
    let isLoaded = false;
    const loading = hand.hub.reads.load(entry).then(() => {
      isLoaded = true;
    });
    let n = 0;
    while (!isLoaded && n < 100) {
      (await writtenElsewhere(hand, key, { n: ++n }))();
      hand.store.letGo();
      await settle();
    }
    expect(n).toBeLessThan(10);
    await loading;
    hand.store.answers = "at once";
    hand.store.letGo();
    await settle();
    expect(entry.snapshot?.data).toEqual({ n });
  });
});

test("a write's answer that arrives after another writer's later write, while the feed is cut: the store is read", async () => {
  const hand = inHand();
  const { entry, key } = await watched(hand, "a");
  hand.feed().broken(new Error("cut"));
  hand.store.answers = "held";
  const updating = hand.set.updates.update(key, (draft) => {
    draft.n = 2;
  });
  await settle();
  hand.store.answers = "at once";
  await writtenElsewhere(hand, key, { n: 3 });
  expect((await hand.hub.reads.load(entry))?.data).toEqual({ n: 3 });
  hand.store.letGo();
  await updating;
  await settle();
  expect(entry.snapshot?.data).toEqual({ n: 3 });
});

describe("a session that becomes unverified while it is read", () => {
  /** The store has failed for almost `staleMs`, and is slow from now on. */
  async function almostStale() {
    const hand = inHand();
    const { key, entry, observer } = await watched(hand, "a");
    hand.feed().broken(new Error("cut"));
    hand.store.answers = "fails";
    await hand.clock.advance(55_000);
    hand.store.answers = "held";
    const becomeStale = async () => {
      await hand.clock.advance(6_000);
      expect(observer.heard).toEqual(["unverified"]);
      hand.store.letGo();
      await settle();
    };
    return { hand, key, entry, becomeStale };
  }

  test("exists for the request that reads it", async () => {
    const { hand, key, becomeStale } = await almostStale();
    const reading = hand.hub.reads.read(key);
    await becomeStale();
    expect((await reading)?.document).toEqual({ cookie, n: 1 });
  });

  test("makes the handshake retry: it is not refused as ended", async () => {
    const { hand, key, becomeStale } = await almostStale();
    const loading = hand.hub.reads.load(hand.hub.observe(key, listening()));
    const rejected = expect(loading).rejects.toMatchObject({ code: "STORE_FAILED" });
    await becomeStale();
    await rejected;
    hand.store.answers = "at once";
    expect(await hand.hub.reads.load(hand.hub.observe(key, listening()))).toMatchObject({ data: { n: 1 } });
  });

  test("makes update() reject as unverified, not as ended: nothing is written, and it may be retried", async () => {
    const { hand, key, becomeStale } = await almostStale();
    const updating = hand.set.updates.update(key, async (draft) => {
      await becomeStale();
      draft.n = 2;
    });
    await expect(updating).rejects.toMatchObject({ code: "STORE_FAILED" });
    expect((await hand.store.stored(key))?.document).toEqual({ cookie, n: 1 });
  });
});
