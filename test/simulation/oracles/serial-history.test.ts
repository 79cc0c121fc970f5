import { describe, expect, test } from "vitest";
import { judged, operation, the, values } from "./a-run.ts";
import { serialHistory } from "./serial-history.ts";

const [a, b] = [operation("o1", "append"), operation("o2", "append", "n1")];
const load = operation("o3", "load", "n1");
const appended = [the.stored(1), a.begins(10), the.stored(11, values(["o1"])), a.done(12)];

describe("a serial history", () => {
  test("each sees what was done before it began", () => {
    const events = [
      ...appended,
      b.begins(13),
      the.stored(14, values(["o1", "o2"])),
      b.done(15, values(["o1"])),
    ];
    expect(judged(serialHistory, [...events, load.begins(16), load.done(17, values(["o1", "o2"]))])).toEqual(
      [],
    );
  });

  test("a request that overlaps a write may see it or not", () => {
    const begun = [the.stored(1), load.begins(2), ...appended.slice(1)];
    expect(judged(serialHistory, [...begun, load.done(20, values())])).toEqual([]);
    expect(judged(serialHistory, [...begun, load.done(20, values(["o1"]))])).toEqual([]);
  });

  test("a stale read", () => {
    expect(judged(serialHistory, [...appended, load.begins(13), load.done(14, values())])).toEqual([
      "13: s0 has no order of its operations: o3 is before o1, as it did not see what o1 wrote to list-0; o1 is before o3, as it was done before o3 began.",
    ]);
  });

  test("an append that was made upon an older draft", () => {
    const events = [the.stored(1), a.begins(10), b.begins(10), the.stored(11, values(["o1"])), a.done(12)];
    const lost = [...events, the.stored(13, values(["o1", "o2"])), b.done(14, values())];
    expect(judged(serialHistory, lost)).toHaveLength(1);
  });

  test("two that contradict each other, without any order in time", () => {
    const [x, y] = [operation("o4", "save"), operation("o5", "save", "n1")];
    const [one, other] = [operation("o6", "load"), operation("o7", "load")];
    const begun = [the.stored(1), x.begins(2), y.begins(2), one.begins(2), other.begins(2)];
    const written = [the.stored(3, values([], "o4")), the.stored(4, values([], "o5")), x.done(5), y.done(5)];
    expect(judged(serialHistory, [...begun, ...written, one.done(6, values([], "o4"))])).toEqual([]);
    const chained = [...begun, ...written, other.done(6, values([], "o5"))];
    const later = operation("o8", "load");
    expect(
      judged(serialHistory, [...chained, later.begins(7), later.done(8, values([], "o4"))]),
    ).toHaveLength(1);
  });

  test("requests side by side that set one key: the later save wins", () => {
    const [x, y] = [operation("o4", "save"), operation("o5", "save", "n1")];
    const begun = [the.stored(1), x.begins(2), y.begins(2)];
    const events = [
      ...begun,
      the.stored(3, values([], "o4")),
      x.done(4),
      the.stored(5, values([], "o5")),
      y.done(6),
    ];
    expect(judged(serialHistory, events)).toEqual([]);
  });

  test("a save without an answer may be made again, one that was acknowledged may not", () => {
    const [x, y] = [operation("o4", "save"), operation("o5", "save", "n1")];
    const first = [the.stored(1), x.begins(2), the.stored(3, values([], "o4"))];
    const between = [y.begins(4), the.stored(5, values([], "o5")), y.done(6, values([], "o4"))];
    const again = the.stored(7, values([], "o4"));
    expect(judged(serialHistory, [...first, ...between, again, x.failed(8, true)])).toEqual([]);
    expect(judged(serialHistory, [...first, ...between, again, x.done(8)])).toHaveLength(1);
  });

  test("data that were never there", () => {
    expect(judged(serialHistory, [...appended, load.begins(13), load.done(14, values(["o9"]))])).toEqual([
      "14: s0: o3 saw list-0 as it has never been.",
    ]);
  });

  test("a failover excuses what spans it, and nothing after it", () => {
    const events = [...appended, load.begins(13), the.forgotten(14, values()), load.done(15, values())];
    expect(judged(serialHistory, events)).toEqual([]);
    const again = [b.begins(20), the.stored(21, values(["o2"])), b.done(22)];
    const stale = operation("o9", "load");
    expect(
      judged(serialHistory, [...events, ...again, stale.begins(23), stale.done(24, values())]),
    ).toHaveLength(1);
  });
});
