import { describe, expect, test } from "vitest";
import { Echoes } from "../../src/core/echoes.ts";
import { fieldsOf } from "../../src/core/fields.ts";
import type { LiveEntry } from "../../src/core/live-entry.ts";
import type { SessionKey } from "../../src/core/session-store.ts";
import { settle } from "../support/manual-clock.ts";
import { cookie, listening, nameOf, stored } from "./live-set.ts";
import { type Hand, inHand, tellOf, watched, writtenElsewhere } from "./store-in-hand.ts";

test("each echo is expected once, also of a revision that comes twice", () => {
  const echoes = new Echoes();
  echoes.expect("a");
  echoes.expect("b");
  echoes.expect("a");
  expect(["a", "b", "a", "a", "b"].map((revision) => echoes.take(revision))).toEqual([
    true,
    true,
    true,
    false,
    false,
  ]);
  echoes.expect("c");
  echoes.clear();
  expect(echoes.take("c")).toBe(false);
});

test("own writes that the feed tells late cost no read; another writer's does, also with content that was here before", async () => {
  const hand = inHand();
  const { key } = await watched(hand, "a");
  const untold: (() => void)[] = [];
  for (let n = 2; n <= 4; n++) {
    await hand.set.updates.update(key, (draft) => {
      draft.n = n;
    });
    untold.push(await tellOf(hand, key));
  }
  const { asked } = hand.store;
  for (const tell of untold) tell();
  await settle();
  expect(hand.store.asked).toBe(asked);
  untold[0]?.(); // once more: this time it is somebody else's
  await settle();
  expect(hand.store.asked).toBe(asked + 1);
});

/** Writes of this node, each leaving `{ n: 2 }`, whose echo does not come. */
const unechoed: { what: string; write(hand: Hand): Promise<{ key: SessionKey; entry: LiveEntry }> }[] = [
  {
    what: "that was told before the session came to life",
    async write(hand) {
      const key = await stored(hand.set, "a", { n: 1 });
      const known = await hand.set.writes.read(key);
      if (!known) throw new Error("Expected the session to be stored.");
      hand.store.answers = "held";
      const fields = fieldsOf({ n: 2 });
      const writing = hand.set.writes.replace(key, known, fields, known.cookie, "keep"); // a request; no socket yet
      await settle();
      (await tellOf(hand, key))();
      hand.store.answers = "at once";
      const entry = hand.hub.observe(key, listening()); // a socket connects
      await hand.hub.load(entry);
      hand.store.letGo();
      await writing;
      return { key, entry };
    },
  },
  {
    what: "of a creation, of which no store tells",
    async write(hand) {
      const key = nameOf("a");
      const entry = hand.hub.observe(key, listening());
      await hand.set.writes.create(key, fieldsOf({ n: 2 }), cookie);
      return { key, entry };
    },
  },
  {
    what: "of a write that changed nothing, of which not every store tells",
    async write(hand) {
      const key = await stored(hand.set, "a", { n: 2 });
      const entry = hand.hub.observe(key, listening());
      const known = await hand.hub.load(entry);
      if (!known) throw new Error("Expected the session to be stored.");
      await hand.set.writes.replace(key, known, known.fields, known.cookie, "keep");
      return { key, entry };
    },
  },
  {
    what: "that fell into a gap during the write",
    async write(hand) {
      const { key, entry } = await watched(hand, "a");
      hand.store.answers = "held";
      const updating = hand.set.updates.update(key, (draft) => {
        draft.n = 2;
      });
      await settle();
      hand.store.answers = "at once";
      hand.feed().broken(new Error("cut"));
      hand.feed().missed();
      await settle();
      hand.store.letGo();
      await updating;
      return { key, entry };
    },
  },
  {
    what: "that fell into a gap after the write",
    async write(hand) {
      const { key, entry } = await watched(hand, "a");
      await hand.set.updates.update(key, (draft) => {
        draft.n = 2;
      });
      hand.feed().broken(new Error("cut"));
      hand.feed().missed();
      return { key, entry };
    },
  },
];

describe("an echo that does not come is not waited for: another's write of the same content is read", () => {
  test.each(unechoed)("$what", async ({ write }) => {
    const hand = inHand();
    hand.store.revisions = "of content";
    await settle();
    expect(hand.hub.feed).toBe("whole"); // else no echo is expected
    const { key, entry } = await write(hand);
    await settle();
    expect(hand.hub.feed).toBe("whole");
    expect(entry.snapshot?.data).toEqual({ n: 2 });
    for (const data of [{ n: 2, typing: true }, { n: 2 }]) {
      (await writtenElsewhere(hand, key, data))();
      await settle();
      expect(entry.snapshot?.data).toEqual(data);
    }
  });
});
