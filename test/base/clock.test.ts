import { expect, test } from "vitest";
import { randomOf, systemClock } from "../../src/base/clock.ts";

test("a delay longer than a Node timer takes does not end at once", async () => {
  const fired: string[] = [];
  const cancel = systemClock.after(2 ** 31, () => fired.push("in 25 days"));
  await new Promise<void>((resolve) => systemClock.after(2, resolve)); // Node would fire the longer one after 1 ms
  cancel();
  expect(fired).toEqual([]);
});

test("a timer that was cancelled does not fire", async () => {
  const fired: string[] = [];
  systemClock.after(1, () => fired.push("cancelled"))();
  await new Promise<void>((resolve) => systemClock.after(2, resolve));
  expect(fired).toEqual([]);
});

test("a clock that has random numbers decides on waiting times, and Math.random otherwise", () => {
  expect(randomOf({ ...systemClock, random: () => 0.25 })).toBe(0.25);
  const drawn = randomOf(systemClock);
  expect(drawn).toBeGreaterThanOrEqual(0);
  expect(drawn).toBeLessThan(1);
});
