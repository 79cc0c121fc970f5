import { describe, expect, test } from "vitest";
import { judged, operation, the } from "./a-run.ts";
import { liveness } from "./liveness.ts";

const minute = 60_000;
const refused = [
  the.stored(1),
  the.asks(10, "n0", "k0", "c0"),
  the.refused(20, "n0", false),
  the.calm(1_000),
];

describe("liveness", () => {
  test("a client that was refused is in again", () => {
    const again = [the.asks(2_000, "n0", "k1", "c0"), the.admitted(2_010, "n0", "k1")];
    expect(judged(liveness, [...refused, ...again, the.end(5 * minute)])).toEqual([]);
  });

  test("or was told to stop", () => {
    const again = [the.asks(2_000, "n0", "k1", "c0"), the.refused(2_010, "n0", true, "k1")];
    expect(judged(liveness, [...refused, ...again, the.end(5 * minute)])).toEqual([]);
  });

  test("a client that stays outside", () => {
    expect(judged(liveness, [...refused, the.end(5 * minute)])).toEqual([
      "300000: c0 was refused (STORE_UNAVAILABLE) on n0, and is not in s0 again after 299000 ms; 50000 ms are enough.",
    ]);
  });

  test("a client that gets no answer", () => {
    expect(judged(liveness, [the.calm(1), the.asks(10, "n0"), the.end(5 * minute)])).toHaveLength(1);
  });

  test("a client that was closed comes back, unless it was told to stay away or has left", () => {
    const open = [the.stored(1), the.calm(5), the.asks(10, "n0", "k0", "c0"), the.admitted(20, "n0")];
    const outcome = (reason: string) =>
      judged(liveness, [...open, the.closed(30, "n0", reason), the.end(5 * minute)]);
    for (const reason of ["destroyed", "expired", "revoked", "left"]) expect(outcome(reason)).toEqual([]);
    for (const reason of ["replaced", "unverified"]) expect(outcome(reason)).toHaveLength(1);
  });

  test("an operation that never settles", () => {
    const load = operation("o1", "load");
    expect(judged(liveness, [load.begins(1), the.calm(2), the.end(5 * minute)])).toEqual([
      "300000: o1, the load of s0 on n0, has not settled for 299998 ms in quiet times; 45000 ms are enough.",
    ]);
    expect(judged(liveness, [load.begins(1), the.calm(2), load.done(3), the.end(5 * minute)])).toEqual([]);
  });

  describe("what excuses it", () => {
    test("a fault that is not over", () => {
      expect(judged(liveness, [...refused.slice(0, -1), the.end(5 * minute)])).toEqual([]);
    });

    test("the time that all takes", () => {
      expect(judged(liveness, [...refused, the.end(40_000)])).toEqual([]);
    });

    test("that its node was killed, for an operation and not for a client", () => {
      const load = operation("o1", "load");
      const events = [
        load.begins(1),
        the.asks(1, "n0", "k0", "c0"),
        the.admitted(2, "n0"),
        the.fault(3, "kill", 4, "n0"),
      ];
      expect(judged(liveness, [...events, the.calm(5), the.end(5 * minute)])).toEqual([
        "300000: c0 lost its node on n0, and is not in s0 again after 299995 ms; 50000 ms are enough.",
      ]);
    });
  });
});
