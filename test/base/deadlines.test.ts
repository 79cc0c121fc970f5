import fc from "fast-check";
import { expect, test } from "vitest";
import { Deadlines } from "../../src/base/deadlines.ts";
import { SetBackClock } from "../live/set-back-clock.ts";
import { ManualClock } from "../support/manual-clock.ts";

test("any schedule: each item is due once, at its last time, in order; one timer at a time", async () => {
  const step = fc.record({ item: fc.nat(9), at: fc.option(fc.nat(1000), { nil: undefined }) });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
      const clock = new ManualClock();
      const start = clock.now();
      const due: [number, number][] = [];
      const deadlines = new Deadlines<number>(clock, (item) => due.push([item, clock.now() - start]));
      const expected = new Map<number, number>();
      for (const { item, at } of steps) {
        if (at === undefined) {
          deadlines.delete(item);
          expected.delete(item);
        } else {
          deadlines.set(item, start + at);
          expected.set(item, at);
        }
        expect(clock.pending).toBe(expected.size > 0 ? 1 : 0);
      }
      expect(deadlines.size).toBe(expected.size);
      await clock.advance(1000);
      expect(new Map(due)).toEqual(expected);
      expect(due.map(([, at]) => at)).toEqual([...expected.values()].sort((a, b) => a - b));
      expect(deadlines.size + clock.pending).toBe(0);
    }),
    { numRuns: 50 },
  );
});

test("a time beyond the reach of a Node timer is waited for in steps", async () => {
  const clock = new ManualClock();
  const due: string[] = [];
  const delays: number[] = [];
  const after = clock.after.bind(clock);
  clock.after = (delayMs, fn) => {
    delays.push(delayMs);
    return after(delayMs, fn);
  };
  const deadlines = new Deadlines<string>(clock, (item) => due.push(item));
  const year = 365 * 86_400_000;
  deadlines.set("in a year", clock.now() + year);
  await clock.advance(year - 1);
  expect(due).toEqual([]);
  await clock.advance(1);
  expect(due).toEqual(["in a year"]);
  expect(Math.max(...delays)).toBeLessThan(2 ** 31);
});

test("after the clock is set back, everything is due at the next timer", async () => {
  const clock = new SetBackClock();
  const due: string[] = [];
  const deadlines = new Deadlines<string>(clock, (item) => due.push(item));
  deadlines.set("soon", clock.now() + 1_000);
  deadlines.set("later", clock.now() + 60_000);
  clock.setBack(3_600_000);
  await clock.advance(999);
  expect(due).toEqual([]);
  await clock.advance(1);
  expect(due).toEqual(["soon", "later"]);
  expect(deadlines.size + clock.pending).toBe(0);
});

test("a clock that runs a little behind its timers makes nothing due early", async () => {
  const clock = new SetBackClock();
  const due: string[] = [];
  const deadlines = new Deadlines<string>(clock, (item) => due.push(item));
  deadlines.set("soon", clock.now() + 1_000);
  deadlines.set("later", clock.now() + 60_000);
  clock.setBack(1_000);
  await clock.advance(1_000);
  expect(due).toEqual([]);
  await clock.advance(1_000);
  expect(due).toEqual(["soon"]);
});
