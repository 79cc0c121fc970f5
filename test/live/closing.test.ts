/** What is under way when a hub is closed, and its store after it: it ends in silence, and leaves no timer behind. */
import { describe, expect, test } from "vitest";
import { liveSessions } from "../../src/live-sessions.ts";
import type { SessionStore } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeKinds } from "../support/matrix.ts";
import { secret } from "../support/world.ts";
import { day, liveSet } from "./live-set.ts";
import { inHand, watched, writtenElsewhere } from "./store-in-hand.ts";

describe("a hub that is closed", () => {
  test("reports no read of its own that fails afterwards, and does not read again", async () => {
    const hand = inHand();
    const { key } = await watched(hand, "a");
    hand.store.answers = "hangs";
    (await writtenElsewhere(hand, key, { n: 2 }))();
    await settle();
    const { asked } = hand.store;
    await hand.hub.close();
    await hand.clock.advance(10 * 60_000);
    expect(hand.set.errors).toEqual([]);
    expect(hand.store.asked).toBe(asked);
    expect(hand.hub.counts.timers).toBe(0);
  });

  test("does not read again what it was reading, once that is answered", async () => {
    const hand = inHand();
    const { key } = await watched(hand, "a");
    hand.store.answers = "held";
    (await writtenElsewhere(hand, key, { n: 2 }))();
    await settle();
    await hand.hub.close();
    hand.store.letGo();
    await settle();
    const { asked } = hand.store;
    await hand.clock.advance(2 * day);
    expect(hand.store.asked).toBe(asked);
  });

  test("reports no touch that fails afterwards, and makes none", async () => {
    const hand = inHand();
    const { entry } = await watched(hand, "a");
    let fail = (_error: Error): void => {};
    let touches = 0;
    hand.store.touch = () => {
      touches += 1;
      return new Promise((_resolve, reject) => {
        fail = reject;
      });
    };
    await hand.clock.advance(120_000);
    hand.set.activity.onEvent(entry);
    await hand.hub.close();
    hand.set.activity.close();
    fail(new Error("closed"));
    await settle();
    await hand.clock.advance(120_000);
    hand.set.activity.onEvent(entry);
    expect(touches).toBe(1);
    expect(hand.set.errors).toEqual([]);
  });

  test("reports no feed that was being opened, and opens it no more", async () => {
    const clock = new ManualClock();
    let fail = (_error: Error): void => {};
    let attempts = 0;
    const changes: SessionStore["changes"] = () => {
      attempts += 1;
      return new Promise((_resolve, reject) => {
        fail = reject;
      });
    };
    const set = liveSet(Object.assign(memoryStore({ clock }), { changes }), clock);
    await settle();
    await set.hub.close();
    fail(new Error("closed"));
    await clock.advance(60_000);
    expect(set.errors).toEqual([]);
    expect(attempts).toBe(1);
  });
});

describeKinds("sessions that are closed while they open", (kind) => {
  test("report nothing", async () => {
    const sessions = liveSessions({ store: kind.open(), secret });
    const errors: unknown[] = [];
    sessions.on("error", (error) => errors.push(error));
    await sessions.close();
    await sessions.close();
    await settle();
    expect(errors).toEqual([]);
  });
});
