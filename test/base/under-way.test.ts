import { expect, test } from "vitest";
import { UnderWay } from "../../src/base/under-way.ts";

/** Whether a promise has resolved by now. */
async function hasResolved(promise: Promise<void>): Promise<boolean> {
  let isResolved = false;
  void promise.then(() => {
    isResolved = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return isResolved;
}

test("settles at once if nothing is under way", async () => {
  expect(await hasResolved(new UnderWay().settled())).toBe(true);
});

test("settles when the last has ended, whatever the order", async () => {
  const underWay = new UnderWay();
  const [first, second] = [underWay.begun(), underWay.begun()];
  const settled = underWay.settled();
  second();
  expect(await hasResolved(settled)).toBe(false);
  first();
  expect(await hasResolved(settled)).toBe(true);
});

test("counts an end once, however often it is told", async () => {
  const underWay = new UnderWay();
  const ended = underWay.begun();
  underWay.begun();
  ended();
  ended();
  expect(await hasResolved(underWay.settled())).toBe(false);
});

test("does not wait for what begins later", async () => {
  const underWay = new UnderWay();
  const ended = underWay.begun();
  const settled = underWay.settled();
  underWay.begun();
  ended();
  expect(await hasResolved(settled)).toBe(true);
});

test("waits for all that was under way, also the second time", async () => {
  const underWay = new UnderWay();
  const ended = underWay.begun();
  void underWay.settled();
  const again = underWay.settled();
  expect(await hasResolved(again)).toBe(false);
  ended();
  expect(await hasResolved(again)).toBe(true);
});
