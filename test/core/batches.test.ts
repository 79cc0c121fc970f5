/** Sessions are read again in batches; when one fails, the others are not to suffer, and neither is the store. */
import { describe, expect, test } from "vitest";
import { inHand, watched } from "./store-in-hand.ts";

describe("a batch that can't be read", () => {
  async function cutOff(count: number) {
    const hand = inHand();
    const sessions = [];
    for (let i = 0; i < count; i++) sessions.push(await watched(hand, `sid ${i}`));
    hand.feed().broken(new Error("cut"));
    return { hand, sessions, before: hand.store.asked };
  }

  test("because of one session: the others are verified as ever", async () => {
    const { hand, sessions } = await cutOff(10);
    hand.store.corrupt.add("sid 3");
    await hand.clock.advance(90_000);
    const heard = sessions.map(({ observer }) => observer.heard);
    expect(heard.filter(({ length }) => length === 0)).toHaveLength(9);
    expect(heard[3]).toEqual(["unverified"]);
  });

  test("because the store is down: that is found out by two more reads, and not by one for each session", async () => {
    const { hand, before } = await cutOff(10);
    hand.store.answers = "fails";
    await hand.clock.advance(30_000);
    expect(hand.store.asked).toBe(before + 3);
  });

  test("because the store does not answer in time: nothing more is asked of it at once", async () => {
    const { hand, before } = await cutOff(10);
    hand.store.answers = "hangs";
    await hand.clock.advance(30_000 + 10_000);
    expect(hand.store.asked).toBe(before + 1);
    expect(hand.set.errors.at(-1)).toMatchObject({ code: "STORE_TIMEOUT" });
  });
});
