/** Results compare a case with the bar over its store, round by round. */
import { expect, test } from "vitest";
import { compared } from "../../bench/run/compared.ts";
import { type Case, over, type Variant } from "../../bench/scenarios/scenario.ts";

const metrics = [{ name: "cpuUs", title: "CPU", digits: 0 }];
const samplesOf = (...values: number[]) => values.map((cpuUs) => ({ cpuUs }));

function comparisonsOf(
  bars: string[],
  compare: Variant["compare"],
  samples: [cases: readonly Case[], ...values: number[]][],
) {
  const cases = samples.flatMap(([cases]) => cases);
  const variant: Variant = { name: "one", title: "", cases, bars, compare, measure: async () => ({}) };
  const map = new Map(
    samples.flatMap(([cases, ...values]) => cases.map((one) => [one, samplesOf(...values)] as const)),
  );
  return compared(variant, metrics, map).cases.map(({ comparisons }) => comparisons);
}

test("by the median of the ratios within the rounds, not by the ratio of the medians", () => {
  expect(
    comparisonsOf(["plain"], "ratio", [
      [over("plain", "redis"), 100, 200, 400],
      [over("socket-session", "redis"), 150, 200, 400],
    ]),
  ).toEqual([{}, { plain: { median: 1, least: 1, most: 1.5 } }]);
});

test("by the difference", () => {
  const [, ours] = comparisonsOf(["bare"], "difference", [
    [over("bare", "memory"), 12, 12],
    [over("socket-session", "redis"), 18, 20],
  ]);
  expect(ours).toEqual({ bare: { median: 7, least: 6, most: 8 } });
});

test("over the same store, or the peer of a store for which the bar has no use", () => {
  const [, , postgres, ioredis, sqlite] = comparisonsOf(["limit"], "ratio", [
    [over("limit", "redis"), 1],
    [over("limit", "postgres"), 2],
    [over("socket-session", "postgres"), 4],
    [over("socket-session", "ioredis"), 4],
    [over("socket-session", "sqlite"), 4],
  ]);
  expect([postgres?.limit?.median, ioredis?.limit?.median, sqlite]).toEqual([2, 4, {}]);
});

test("the library with its other checkout, which is compared with nothing but bars", () => {
  const [, before, now] = comparisonsOf(["bare"], "ratio", [
    [over("bare", "memory"), 10],
    [over("before", "redis"), 20],
    [over("socket-session", "redis"), 10],
  ]);
  expect(before).toEqual({ bare: { median: 2, least: 2, most: 2 } });
  expect([now?.bare?.median, now?.before?.median]).toEqual([1, 0.5]);
});
