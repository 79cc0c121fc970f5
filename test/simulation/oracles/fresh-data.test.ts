import { describe, expect, test } from "vitest";
import { judged, operation, the, values } from "./a-run.ts";
import { freshData } from "./fresh-data.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;
const write = operation("o1", "append", "n0");
const [before, after] = [values(), values(["o1"])];
const started = [the.start(0, "n0"), the.start(0, "n1"), the.stored(1)];
const written = [write.begins(t - 10), the.stored(t, after), write.done(t + 5)];

describe("fresh data", () => {
  test("the writing node shows what it wrote, and others do soon", () => {
    const events = [
      ...started,
      ...written,
      the.served(t + 6, "n0", after),
      the.served(t + 150, "n1", before),
    ];
    expect(judged(freshData, [...events, the.served(t + 300, "n1", after)])).toEqual([]);
  });

  test("the writing node shows what was there before", () => {
    expect(judged(freshData, [...started, ...written, the.served(t + 6, "n0", before)])).toEqual([
      "1000006: n0 showed k0 of s0 data from before o1, which the same node had acknowledged.",
    ]);
  });

  test("before it is acknowledged nothing is promised", () => {
    expect(judged(freshData, [...started, ...written.slice(0, 2), the.served(t + 3, "n0", before)])).toEqual(
      [],
    );
  });

  test("another node shows what is out of date", () => {
    expect(judged(freshData, [...started, ...written, the.served(t + 250, "n1", before)])).toEqual([
      "1000250: n1 showed k0 of s0 data that were out of date for 250 ms; nothing goes wrong there: at most 200 ms.",
    ]);
  });

  test("data that were never stored", () => {
    expect(judged(freshData, [...started, the.served(t, "n0", values(["o9"]))])).toHaveLength(1);
    expect(judged(freshData, [...started, the.served(t, "n0", after), ...written])).toHaveLength(1);
  });

  describe("what a fault excuses", () => {
    const cut = (node: string) => [...started, the.fault(t - 1_000, "cut", t + 500_000, node)];

    test("a node that is cut off shows old data for staleMs, and no longer", () => {
      const events = [...cut("n1"), ...written];
      expect(judged(freshData, [...events, the.served(t + 59_000, "n1", before)])).toEqual([]);
      expect(judged(freshData, [...events, the.served(t + 61_000, "n1", before)])).toHaveLength(1);
    });

    test("not a node by which the fault does not go", () => {
      expect(judged(freshData, [...cut("n0"), ...written, the.served(t + 250, "n1", before)])).toHaveLength(
        1,
      );
    });

    test("a deaf feed excuses no node from its own writes", () => {
      const deaf = [...started, the.fault(t - 1_000, "deaf", t + 500_000, "n0"), ...written];
      expect(judged(freshData, [...deaf, the.served(t + 6, "n0", before)])).toHaveLength(1);
    });

    test("a failover that undoes a write excuses the data of before", () => {
      const undone = [the.fault(t + 10, "failover", t + 11), the.forgotten(t + 11, before)];
      expect(
        judged(freshData, [...started, ...written, ...undone, the.served(t + 20, "n0", before)]),
      ).toEqual([]);
    });
  });

  test("without a whole feed, within revalidateIntervalMs", () => {
    const events = [...started, ...written];
    const incomplete = { feed: "incomplete" } as const;
    expect(judged(freshData, [...events, the.served(t + 29_000, "n1", before)], incomplete)).toEqual([]);
    expect(judged(freshData, [...events, the.served(t + 31_000, "n1", before)], incomplete)).toHaveLength(1);
  });
});
