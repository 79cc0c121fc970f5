import { expect, test } from "vitest";
import { Pace } from "../../src/base/pace.ts";

/** A pace whose pauses the test ends. */
function paced(atOnce: number) {
  const ran: number[] = [];
  const pauses: (() => void)[] = [];
  const pace = new Pace(atOnce, (then) => pauses.push(then));
  return {
    ran,
    pauses,
    run: (step: number) => pace.run(() => ran.push(step)),
    next: () => pauses.shift()?.(),
    pace,
  };
}

test("the first steps run at once, the others after pauses, in order and each once", () => {
  const { ran, run, next, pauses } = paced(2);
  for (const step of [1, 2, 3, 4, 5]) run(step);
  expect(ran).toEqual([1, 2]);
  next();
  expect(ran).toEqual([1, 2, 3, 4]);
  run(6);
  expect(ran).toEqual([1, 2, 3, 4]);
  next();
  expect(ran).toEqual([1, 2, 3, 4, 5, 6]);
  next();
  expect(pauses).toEqual([]);
  run(7);
  expect(ran).toEqual([1, 2, 3, 4, 5, 6, 7]);
});

test("a step may add steps: they wait for their turn", () => {
  const { ran, pauses, next, pace } = paced(1);
  pace.run(() => {
    ran.push(1);
    pace.run(() => ran.push(2));
  });
  expect(ran).toEqual([1]);
  expect(pauses).toHaveLength(1);
  next();
  expect(ran).toEqual([1, 2]);
});
