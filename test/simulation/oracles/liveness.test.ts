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

  describe("a client with a ticket that is refused", () => {
    const t = 1_000_000;
    const start = [the.stored(1), the.issued(t), the.asks(t + 100, "n0")];
    const refused = (at: number) => the.refused(at, "n0", true, "k0", "TICKET_INVALID");

    test("although it is good", () => {
      expect(judged(liveness, [...start, the.shown(t + 100, "n0"), refused(t + 200)])).toEqual([
        "1000200: n0 told k0 to stay away (TICKET_INVALID), and s0 lives.",
      ]);
      const theft = the.shown(t + 50, "n0", "k1", { page: "listed" }); // uses nothing up
      expect(judged(liveness, [...start, theft, the.shown(t + 100, "n0"), refused(t + 200)])).toHaveLength(1);
    });

    test.each([
      ["of another origin", [the.shown(t + 100, "n0", "k0", { page: "listed" })], t + 200],
      ["beside another cookie", [the.shown(t + 100, "n0", "k0", { cookie: "another" })], t + 200],
      ["used", [the.shown(t + 50, "n1", "k1"), the.shown(t + 100, "n0")], t + 200],
      ["late", [the.shown(t + 100, "n0")], t + 29_500],
      ["lost on its way", [the.fault(t + 110, "slow", t + 150), the.shown(t + 100, "n0")], t + 200],
    ])("%s", (_how, shown, at) => {
      expect(judged(liveness, [...start, ...shown, refused(at)])).toEqual([]);
    });
  });

  test("a client that gets no ticket for a session that lives", () => {
    const ask = operation("o1", "ticket");
    const refused = [ask.begins(10), ask.failed(20, false, "SESSION_ENDED")];
    expect(judged(liveness, [the.stored(1), ...refused])).toEqual([
      "20: n0 refused a ticket by o1 (SESSION_ENDED), and s0 lives.",
    ]);
    expect(judged(liveness, [the.stored(1), the.removed(5), ...refused])).toEqual([]);
    expect(judged(liveness, [the.stored(1), ask.begins(10), ask.failed(20, true, "STORE_TIMEOUT")])).toEqual(
      [],
    );
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
