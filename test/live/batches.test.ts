/** Sessions are read again in batches; if one fails, the others must not suffer, and neither must the store. */
import { describe, expect, test } from "vitest";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, day, listening, nameOf } from "./live-set.ts";
import { inHand, watched } from "./store-in-hand.ts";

describe("a batch that can't be read", () => {
  async function cutOff(count: number) {
    const hand = inHand();
    const sessions = [];
    for (let i = 0; i < count; i++) sessions.push(await watched(hand, `sid ${i}`));
    hand.feed().broken(new Error("cut"));
    return { hand, sessions, before: hand.store.asked };
  }

  test("because of one session: the others are still verified", async () => {
    const { hand, sessions } = await cutOff(10);
    hand.store.corrupt.add("sid 3");
    await hand.clock.advance(90_000);
    const heard = sessions.map(({ observer }) => observer.heard);
    expect(heard.filter(({ length }) => length === 0)).toHaveLength(9);
    expect(heard[3]).toEqual(["unverified"]);
  });

  test("because the store is down: two more reads find that out, not one for each session", async () => {
    const { hand, before } = await cutOff(10);
    hand.store.answers = "fails";
    await hand.clock.advance(30_000);
    expect(hand.store.asked).toBe(before + 3);
  });

  test("because the store does not answer in time: no more reads are sent at once", async () => {
    const { hand, before } = await cutOff(10);
    hand.store.answers = "hangs";
    await hand.clock.advance(30_000 + 10_000);
    expect(hand.store.asked).toBe(before + 1);
    expect(hand.set.errors.at(-1)).toMatchObject({ code: "STORE_TIMEOUT" });
  });
});

describe("a gap in the feed", () => {
  test("with one session that can't be read: the others are read once, and the feed vouches for them again", async () => {
    const hand = inHand();
    const sessions = [];
    for (let i = 0; i < 10; i++) sessions.push(await watched(hand, `sid ${i}`));
    hand.store.corrupt.add("sid 3");
    hand.feed().missed();
    await settle();
    expect(hand.hub.freshness.feed.state).toBe("whole");
    const { asked } = hand.store;
    await hand.clock.advance(20_000);
    expect(hand.store.asked - asked).toBeLessThan(10); // of the one, ever less often
    expect(hand.store.batches.slice(-3)).toEqual([1, 1, 1]);
    await hand.clock.advance(60_000);
    expect(sessions.map(({ observer }) => observer.heard.length)).toEqual([0, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    expect(sessions[3]?.observer.heard).toEqual(["unverified"]);
  });

  test("while the store hangs: a session that is still being read does not restart a timer again and again", async () => {
    const clock = new ManualClock();
    let started = 0;
    const after = clock.after.bind(clock);
    clock.after = (delayMs, fn) => {
      started++;
      if (started > 10_000) throw new Error("Expected time to go on.");
      return after(delayMs, fn);
    };
    const hand = inHand(clock);
    await settle();
    hand.feed().alive?.(clock.now());
    hand.store.answers = "hangs";
    const entry = hand.hub.observe(nameOf("a"), listening());
    hand.feed().broken(new Error("cut"));
    await clock.advance(120_000); // longer than `staleMs`
    const loading = expect(hand.hub.reads.load(entry)).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
    hand.feed().missed();
    const before = started;
    await clock.advance(60_000);
    await loading;
    expect(started - before).toBeLessThan(100);
  });
});

describe("handshakes", () => {
  /** As many sessions as handshakes, and all are registered. */
  async function arriving(count: number) {
    const hand = inHand();
    await settle();
    const keys = Array.from({ length: count }, (_, index) => nameOf(`sid ${index}`));
    for (const key of keys) await hand.store.database.create(key, { cookie, n: 1 }, hand.clock.now() + day);
    return { hand, entries: keys.map((key) => hand.hub.observe(key, listening())) };
  }

  test("of one turn of the event loop share a round trip, 100 at most; a later one has its own", async () => {
    const { hand, entries } = await arriving(151);
    const [last] = entries.splice(-1);
    const before = hand.store.batches.length;
    const loaded = entries.map((entry) => hand.hub.reads.loadTogether(entry));
    expect((await Promise.all(loaded)).map((found) => found?.data)).toEqual(entries.map(() => ({ n: 1 })));
    if (last) await hand.hub.reads.loadTogether(last);
    expect(hand.store.batches.slice(before)).toEqual([100, 50, 1]);
  });

  test("one that joins while an earlier read of its session is under way is not answered by that", async () => {
    const { hand, entries } = await arriving(1);
    const [entry] = entries;
    if (!entry) throw new Error("Expected an entry.");
    hand.store.answers = "held";
    const early = hand.hub.reads.loadTogether(entry);
    await settle();
    await hand.store.database.destroy(entry.key, "destroyed");
    const late = hand.hub.reads.loadTogether(entry);
    hand.store.answers = "at once";
    hand.store.letGo();
    await early;
    expect(await late).toBeNull();
  });
});
