import { describe, expect, test } from "vitest";
import { judged, the, values } from "./a-run.ts";
import { activity } from "./activity.ts";

const hour = 3_600_000;
const started = [the.start(0, "n0"), the.start(0, "n1"), the.stored(0)];

describe("activity", () => {
  test("a session in use lives on, and is touched once in a while", () => {
    const events = [the.served(60_000, "n0"), the.touched(60_005, "n0"), the.touched(120_010, "n0")];
    const later = [
      the.served(hour + 60_000, "n0"),
      the.touched(hour + 60_005, "n0"),
      the.end(hour + 100_000),
    ];
    expect(judged(activity, [...started, ...events, ...later])).toEqual([]);
  });

  test("a session in use that is not extended", () => {
    expect(judged(activity, [...started, the.served(hour / 2, "n0"), the.end(2 * hour)])).toEqual([
      "1800000: s0 was to end 1800000 ms after k0 on n0 used it, and lives 3600000 ms.",
    ]);
  });

  test("what the application sends is no use of it", () => {
    const sent = { ...the.served(hour / 2, "n0"), by: "application" as const };
    expect(judged(activity, [...started, sent, the.end(2 * hour)])).toEqual([]);
  });

  test("a write gives it no more than its life, and a touch takes nothing from it", () => {
    expect(judged(activity, [...started, the.stored(10, values(), hour + 2_000)])).toEqual([
      "10: s0 was stored for 3601990 ms; it lives 3600000 ms.",
    ]);
    expect(judged(activity, [...started, the.touched(10, "n0", hour - 10)])).toEqual([
      "10: A touch took 10 ms from the life of s0.",
    ]);
  });

  test("an idle session is over to the second", () => {
    expect(judged(activity, [...started, the.served(hour + 1_100, "n0")])).toEqual([]);
    expect(judged(activity, [...started, the.served(hour + 1_300, "n0")])).toEqual([
      "3601300: n0 served k0 1300 ms after the deadline of s0; at most 1200 ms are promised.",
    ]);
  });

  test("its sockets close then", () => {
    const open = [...started, the.asks(10, "n0"), the.admitted(20, "n0")];
    expect(judged(activity, [...open, the.closed(hour + 500, "n0", "expired")])).toEqual([]);
    expect(judged(activity, [...open, the.closed(hour + 4_000, "n0", "expired")])).toEqual([
      "3604000: k0 was open on n0 for 4000 ms after the deadline of s0; at most 3200 ms are promised.",
    ]);
    expect(judged(activity, [...open, the.end(hour + 4_000)])).toHaveLength(1);
    const cut = the.fault(hour - 100, "cut", hour + 9_000, "n0");
    expect(judged(activity, [...open, cut, the.closed(hour + 4_000, "n0", "unverified")])).toEqual([]);
  });

  test("touched too often by one node", () => {
    expect(judged(activity, [...started, the.touched(60_000, "n0"), the.touched(70_000, "n0")])).toEqual([
      "70000: n0 touched s0 twice within 10000 ms; once in 60000 ms is promised.",
    ]);
  });

  test("a short session is touched in each tenth of its life", () => {
    const touches = [60_000, 70_000].map((at) => the.touched(at, "n0", at + 100_000));
    const events = [the.start(0, "n0"), the.stored(0, values(), 100_000), ...touches];
    expect(judged(activity, events, { maxAgeMs: 100_000 })).toEqual([]);
  });

  test("two nodes may touch it each", () => {
    expect(judged(activity, [...started, the.touched(60_000, "n0"), the.touched(70_000, "n1")])).toEqual([]);
  });

  describe("what a fault excuses", () => {
    test("a use whose touch could not be made", () => {
      const cut = the.fault(hour / 2, "cut", hour / 2 + 10, "n0");
      expect(judged(activity, [...started, cut, the.served(hour / 2, "n0"), the.end(2 * hour)])).toEqual([]);
      const elsewhere = the.fault(hour / 2, "cut", hour / 2 + 10, "n1");
      expect(
        judged(activity, [...started, elsewhere, the.served(hour / 2, "n0"), the.end(2 * hour)]),
      ).toHaveLength(1);
    });

    test("a deadline that passes while the store does not answer", () => {
      const cut = the.fault(hour - 100, "cut", 2 * hour, "n0");
      expect(judged(activity, [...started, cut, the.served(hour + 60_000, "n0")])).toEqual([]);
      expect(judged(activity, [...started, cut, the.served(hour + 80_000, "n0")])).toHaveLength(1);
    });

    test("a touch that got no answer is made again", () => {
      const lost = the.fault(60_000, "lost reply", 60_000, "n0");
      expect(
        judged(activity, [...started, lost, the.touched(60_001, "n0"), the.touched(61_100, "n0")]),
      ).toEqual([]);
    });

    test("a failover that forgets a touch", () => {
      const forgotten = the.forgotten(hour / 2 + 10, values(), hour);
      expect(
        judged(activity, [...started, the.served(hour / 2, "n0"), forgotten, the.end(2 * hour)]),
      ).toEqual([]);
    });
  });
});
