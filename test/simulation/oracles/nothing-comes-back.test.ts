import { describe, expect, test } from "vitest";
import { judged, operation, the, values } from "./a-run.ts";
import { nothingComesBack } from "./nothing-comes-back.ts";

const end = operation("o1", "end", "n1");
const ended = [the.stored(1), end.begins(100), the.removed(110), end.done(120)];

describe("nothing comes back", () => {
  test("a client that asked before the end was acknowledged may be let in for a moment", () => {
    const events = [the.stored(1), end.begins(100), the.asks(115, "n0"), the.removed(116), end.done(120)];
    expect(judged(nothingComesBack, [...events, the.admitted(125, "n0")])).toEqual([]);
  });

  test("one that asked after it is not", () => {
    expect(judged(nothingComesBack, [...ended, the.asks(121, "n0"), the.admitted(130, "n0")])).toEqual([
      "130: n0 admitted k0 to s0, which o1 had ended before.",
    ]);
  });

  test("a save of a session that was removed", () => {
    expect(judged(nothingComesBack, [...ended, the.stored(200)])).toEqual([
      "200: s0 was stored again, 90 ms after it was removed.",
    ]);
  });

  test("one that no visitor had ended is no revival", () => {
    expect(judged(nothingComesBack, [the.stored(1), the.removed(110), the.stored(200)])).toEqual([]);
  });

  test("one that is removed again at once", () => {
    expect(judged(nothingComesBack, [...ended, the.stored(200), the.removed(1_000)])).toEqual([]);
    expect(judged(nothingComesBack, [...ended, the.stored(200), the.removed(6_000)])).toHaveLength(1);
  });

  test("a request that came after the end was acknowledged, and was given the session", () => {
    const load = operation("o2", "load");
    expect(judged(nothingComesBack, [...ended, load.begins(121), load.done(130)])).toEqual([
      "130: n0 gave o2, a request, s0, which o1 had ended before.",
    ]);
    expect(judged(nothingComesBack, [...ended, load.begins(121), load.done(130, null)])).toEqual([]);
  });

  test("a session that was ended before it was stored", () => {
    const create = operation("o2", "create");
    const events = [end.begins(100), create.begins(101), end.done(120), the.stored(130)];
    expect(judged(nothingComesBack, [...events, create.done(140)])).toEqual([
      "130: The database got s0, which o1 had ended before.",
    ]);
    // The database does late what the node has given up.
    expect(judged(nothingComesBack, [...events, create.failed(140, true)])).toEqual([]);
  });

  test("a touch of a session that was over", () => {
    expect(judged(nothingComesBack, [the.stored(1, values(), 1_000), the.touched(9_000, "n0")])).toEqual([
      "9000: s0 was touched again, 8000 ms after it was expired.",
    ]);
  });

  describe("what excuses it", () => {
    test("a failover that forgets the end, and only from then on", () => {
      const events = [...ended, the.fault(300, "failover", 301), the.forgotten(300, values())];
      expect(judged(nothingComesBack, [...events, the.asks(310, "n0"), the.admitted(320, "n0")])).toEqual([]);
      const early = [...ended, the.asks(130, "n0"), the.admitted(140, "n0"), the.forgotten(300, values())];
      expect(judged(nothingComesBack, early)).toHaveLength(1);
    });

    test("a failover that forgets something else does not", () => {
      const events = [
        ...ended,
        the.fault(300, "failover", 301),
        the.asks(310, "n0"),
        the.admitted(320, "n0"),
      ];
      expect(judged(nothingComesBack, events)).toHaveLength(1);
    });

    test("a clock that is slow, by as much", () => {
      const events = [the.stored(1, values(), 1_000), the.touched(2_400, "n0")];
      expect(judged(nothingComesBack, events, { maxSkewMs: 500 })).toEqual([]);
      expect(judged(nothingComesBack, events)).toHaveLength(1);
    });

    test("a database that hangs does what it was asked in time", () => {
      const hang = the.fault(900, "hanging", 9_000);
      expect(
        judged(nothingComesBack, [the.stored(1, values(), 1_000), hang, the.touched(9_000, "n0")]),
      ).toEqual([]);
    });
  });
});
