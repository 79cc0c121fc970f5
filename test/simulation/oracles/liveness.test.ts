import { describe, expect, test } from "vitest";
import { judged, operation, the } from "./a-run.ts";
import { liveness } from "./liveness.ts";

const minute = 60_000;
const refused = [the.client(5, "outside"), the.asks(10, "n0"), the.refused(20, "n0", false), the.calm(1_000)];

describe("liveness", () => {
  test("a client that was refused is in again, or has been told to stop", () => {
    expect(judged(liveness, [...refused, the.client(2_000, "inside"), the.end(5 * minute)])).toEqual([]);
    expect(judged(liveness, [...refused, the.client(2_000, "gone"), the.end(5 * minute)])).toEqual([]);
  });

  test("a client that stays outside", () => {
    expect(judged(liveness, [...refused, the.end(5 * minute)])).toEqual([
      "300000: c0 wants in to s0, and is still outside after 299000 ms in quiet times; 50000 ms are enough.",
    ]);
  });

  test("a client that was in, and does not get back", () => {
    const events = [...refused, the.client(2_000, "inside"), the.client(3_000, "outside")];
    expect(judged(liveness, [...events, the.end(5 * minute)])).toHaveLength(1);
  });

  test("a socket that gets no answer", () => {
    expect(judged(liveness, [the.calm(1), the.asks(10, "n0"), the.end(5 * minute)])).toEqual([
      "300000: k0 has no answer from n0 after 299990 ms in quiet times; 45000 ms are enough.",
    ]);
  });

  test("a client that is told to stay away from a session that lives", () => {
    const stored = [the.stored(1), the.asks(10, "n0")];
    expect(judged(liveness, [...stored, the.refused(20, "n0", true)])).toEqual([
      "20: n0 told k0 to stay away (SESSION_ENDED), and s0 lives.",
    ]);
    const open = [...stored, the.admitted(20, "n0")];
    expect(judged(liveness, [...open, the.closed(30, "n0", "expired")])).toHaveLength(1);
    expect(judged(liveness, [...open, the.removed(25), the.closed(30, "n0", "destroyed")])).toEqual([]);
    expect(judged(liveness, [...open, the.closed(30, "n0", "left")])).toEqual([]);
  });

  test("a client that is told to stay away from a session that its node is just storing", () => {
    const create = operation("o1", "create");
    const events = [create.begins(5), the.asks(10, "n0"), the.refused(20, "n0", true), the.stored(25)];
    expect(judged(liveness, [...events, create.done(30)])).toHaveLength(1);
    expect(judged(liveness, [...events, create.failed(30, true)])).toEqual([]);
  });

  test("a socket that is closed as unverified by a node that can reach the database", () => {
    const open = [the.stored(1), the.asks(10, "n0"), the.admitted(20, "n0")];
    const closed = the.closed(2 * minute, "n0", "unverified");
    expect(judged(liveness, [...open, closed])).toEqual([
      "120000: n0 closed k0 as unverified, and could ask for s0 all the time.",
    ]);
    expect(judged(liveness, [...open, the.fault(minute, "cut", 2 * minute, "n0"), closed])).toEqual([]);
  });

  test("an operation that is given up as beaten, and was not", () => {
    const save = operation("o1", "save");
    const failed = save.failed(1_000, false, "SESSION_CONTENTION");
    expect(judged(liveness, [save.begins(1), the.stored(2), failed])).toEqual([
      "1000: n0 gave up o1 on s0 as beaten again and again; it was so 1 times at most.",
    ]);
    const beaten = Array.from({ length: 100 }, (_, index) => the.stored(2 + index));
    expect(judged(liveness, [save.begins(1), ...beaten, failed])).toEqual([]);
  });

  test("an operation that never settles", () => {
    const load = operation("o1", "load");
    expect(judged(liveness, [load.begins(1), the.calm(2), the.end(5 * minute)])).toEqual([
      "300000: o1, the load of s0 on n0, has not settled for 299998 ms in quiet times; 45000 ms are enough.",
    ]);
    expect(judged(liveness, [load.begins(1), the.calm(2), load.done(3), the.end(5 * minute)])).toEqual([]);
    expect(judged(liveness, [load.begins(1), the.calm(2), load.done(2 * minute)])).toHaveLength(1);
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
      const events = [load.begins(1), the.client(1, "outside"), the.fault(3, "kill", 4, "n0"), the.calm(5)];
      expect(judged(liveness, [...events, the.end(5 * minute)])).toEqual([
        "300000: c0 wants in to s0, and is still outside after 299995 ms in quiet times; 50000 ms are enough.",
      ]);
    });
  });
});
