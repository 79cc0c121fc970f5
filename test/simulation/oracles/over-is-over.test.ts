import { describe, expect, test } from "vitest";
import { judged, operation, the, values } from "./a-run.ts";
import { overIsOver } from "./over-is-over.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;

const started = [the.start(0, "n0"), the.start(0, "n1"), the.stored(1)];

describe("over is over", () => {
  test("a session that is served until a node has noticed its end", () => {
    expect(judged(overIsOver, [...started, the.removed(t), the.served(t + 150, "n0")])).toEqual([]);
  });

  test("served later than a change travels", () => {
    expect(judged(overIsOver, [...started, the.removed(t), the.served(t + 250, "n0")])).toEqual([
      "1000250: n0 served k0 250 ms after s0 was removed; nothing goes wrong there: at most 200 ms.",
    ]);
  });

  test("served after the same node has acknowledged the end, whatever goes wrong", () => {
    const end = operation("o1", "end", "n0");
    const cut = the.fault(t, "cut", t + 500_000, "n0");
    const events = [
      ...started,
      cut,
      end.begins(t),
      the.removed(t + 1),
      end.done(t + 5),
      the.served(t + 6, "n0"),
    ];
    expect(judged(overIsOver, events)).toEqual([
      "1000006: n0 served k0 after it had acknowledged the end of s0.",
    ]);
  });

  test("a failover that forgets the end excuses it", () => {
    const end = operation("o1", "end", "n0");
    const forgotten = [the.fault(t + 10, "failover", t + 11), the.forgotten(t + 11, values())];
    const events = [...started, end.begins(t), the.removed(t + 1), end.done(t + 5), ...forgotten];
    expect(judged(overIsOver, [...events, the.served(t + 5_000, "n0")])).toEqual([]);
  });

  describe("what a fault excuses", () => {
    const cut = (until: number) => [...started, the.fault(t - 1_000, "cut", until, "n0"), the.removed(t)];

    test("a node that is cut off may serve for staleMs", () => {
      expect(judged(overIsOver, [...cut(t + 500_000), the.served(t + 59_000, "n0")])).toEqual([]);
    });

    test("and no longer", () => {
      expect(judged(overIsOver, [...cut(t + 500_000), the.served(t + 61_000, "n0")])).toEqual([
        "1061000: n0 served k0 61000 ms after s0 was removed; no snapshot is served that is staler: at most 60002 ms.",
      ]);
    });

    test("it excuses no other node", () => {
      expect(judged(overIsOver, [...cut(t + 500_000), the.served(t + 300, "n1")])).toHaveLength(1);
    });

    test("nor anything that happens long after", () => {
      const before = the.fault(t - 200_000, "cut", t - 100_000, "n0");
      expect(
        judged(overIsOver, [...started, before, the.removed(t), the.served(t + 300, "n0")]),
      ).toHaveLength(1);
    });

    test("a deaf feed is repaired by regular reads", () => {
      const deaf = [...started, the.fault(t - 1_000, "deaf", t + 500_000, "n0"), the.removed(t)];
      expect(judged(overIsOver, [...deaf, the.served(t + 29_000, "n0")])).toEqual([]);
      expect(judged(overIsOver, [...deaf, the.served(t + 31_000, "n0")])).toHaveLength(1);
    });

    test("a clock that is set back makes a snapshot look younger", () => {
      const jump = the.fault(t + 100, "clock", t + 100, "n0");
      const events = [...cut(t + 500_000), jump, the.served(t + 61_000, "n0")];
      expect(judged(overIsOver, events, { maxSkewMs: 500 })).toEqual([]);
      expect(judged(overIsOver, [...started, the.removed(t), jump, the.served(t + 300, "n0")])).toHaveLength(
        1,
      );
    });
  });

  test("without a whole feed, within revalidateIntervalMs", () => {
    const events = [...started, the.removed(t)];
    expect(judged(overIsOver, [...events, the.served(t + 29_000, "n0")], { feed: "incomplete" })).toEqual([]);
    expect(
      judged(overIsOver, [...events, the.served(t + 31_000, "n0")], { feed: "incomplete" }),
    ).toHaveLength(1);
  });

  describe("when all is well for long", () => {
    const open = [
      ...started,
      the.asks(t, "n0"),
      the.admitted(t + 5, "n0"),
      the.removed(t + 10),
      the.calm(t + 20),
    ];

    test("no socket of an ended session is open", () => {
      expect(judged(overIsOver, [...open, the.end(t + 400_000)])).toEqual([
        "1400000: k0 is still open on n0, 399990 ms after s0 was removed.",
      ]);
    });

    test("one that is closed, or whose node was killed, is not", () => {
      expect(
        judged(overIsOver, [...open, the.closed(t + 90, "n0", "destroyed"), the.end(t + 400_000)]),
      ).toEqual([]);
      const killed = the.fault(t + 15, "kill", t + 30, "n0");
      expect(
        judged(overIsOver, [...open.slice(0, -1), killed, the.calm(t + 50), the.end(t + 400_000)]),
      ).toEqual([]);
    });
  });
});
