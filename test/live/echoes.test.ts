import { describe, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { settle } from "../support/manual-clock.ts";
import { listening, stored } from "./live-set.ts";
import { inHand, tellOf, watched, writtenElsewhere } from "./store-in-hand.ts";

test("own writes that the feed reports late cost no read", async () => {
  const hand = inHand();
  const { key } = await watched(hand, "a");
  const untold: (() => void)[] = [];
  for (let n = 2; n <= 4; n++) {
    await hand.set.updates.update(key, (draft) => {
      draft.n = n;
    });
    untold.push(tellOf(hand, key));
  }
  const { asked } = hand.store;
  for (const tell of [...untold, ...untold]) tell();
  await settle();
  expect(hand.store.asked).toBe(asked);
});

describe("another writer's change to the same content is read", () => {
  test.each([{ gap: false }, { gap: true }])("after a gap: $gap", async ({ gap }) => {
    const hand = inHand();
    hand.store.revisions = "of content";
    const { key, entry } = await watched(hand, "a");
    await hand.set.updates.update(key, (draft) => {
      draft.n = 2;
    });
    if (gap) {
      hand.feed().broken(new Error("cut"));
      hand.feed().missed();
      await settle();
    }
    for (const data of [{ n: 2, typing: true }, { n: 2 }]) {
      (await writtenElsewhere(hand, key, data))();
      await settle();
      expect(entry.snapshot?.data).toEqual(data);
    }
  });
});

test("a write that failed, but was made, is read when the feed reports it", async () => {
  const hand = inHand();
  const { key, entry } = await watched(hand, "a");
  hand.store.answers = "held";
  const updating = hand.set.updates.update(key, (draft) => {
    draft.n = 2;
  });
  const failed = expect(updating).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
  await settle();
  hand.store.answers = "hangs"; // so that no check finds it
  await hand.clock.advance(10_000);
  await failed;
  expect(entry.snapshot?.data).toEqual({ n: 1 });
  hand.store.answers = "at once";
  tellOf(hand, key)();
  await settle();
  await hand.clock.advance(10_000);
  expect(entry.snapshot?.data).toEqual({ n: 2 });
});

test("even if the session came to life between the write and its failure", async () => {
  const hand = inHand();
  await settle();
  const key = await stored(hand.set, "a", { n: 1 });
  const known = await hand.set.writes.read(key);
  if (!known) throw new Error("Expected the session to be stored.");
  const entry = hand.hub.observe(key, listening()); // a socket connects, and reads what was before
  await hand.hub.reads.load(entry);
  hand.hub.release(entry, [...entry.observers][0] ?? {});
  hand.store.answers = "held";
  const writing = hand.set.writes.replace(key, known, { ...known, fields: fieldsOf({ n: 2 }) }, "keep");
  const failed = expect(writing).rejects.toMatchObject({ code: "STORE_TIMEOUT" });
  await settle();
  await hand.clock.advance(10_000);
  await failed;
  hand.store.answers = "at once";
  await hand.hub.reads.load(hand.hub.observe(key, listening()));
  const { asked } = hand.store;
  tellOf(hand, key)();
  await settle();
  expect(hand.store.asked).toBe(asked + 1);
});
