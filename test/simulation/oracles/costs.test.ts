import { describe, expect, test } from "vitest";
import type { TraceEvent } from "../trace.ts";
import { judged, operation, the } from "./a-run.ts";
import { costs } from "./costs.ts";

const read = (at: number): TraceEvent => ({ at, kind: "read", node: "n0", many: 1 });
const quiet = [the.start(0, "n0"), the.stored(1), the.asks(10, "n0"), read(12), the.admitted(15, "n0")];
const minute = 60_000;

describe("costs", () => {
  test("a node with one session that does little", () => {
    expect(judged(costs, [...quiet, the.end(10 * minute, "n0", 1, 500)])).toEqual([]);
  });

  test("a livelock", () => {
    const livelock: TraceEvent = { at: 5, kind: "livelock", text: "Time stands still at 5 ms." };
    expect(judged(costs, [livelock])).toEqual(["5: Time stands still at 5 ms."]);
  });

  test("timers that come again at once", () => {
    expect(judged(costs, [...quiet, the.end(10 * minute, "n0", 1, 60_000)])[0]).toMatch(
      /n0 made 60000 timers/,
    );
  });

  test("a read for each event", () => {
    const reads = Array.from({ length: 2_000 }, (_, n) => read(1_000 + n));
    expect(judged(costs, [...quiet, ...reads, the.end(10 * minute, "n0", 1, 100)])[0]).toMatch(
      /n0 made 2001 reads of the store/,
    );
  });

  test("a fault excuses reads while it lasts, and no others", () => {
    const reads = Array.from({ length: 900 }, (_, n) => read(1_000 + 600 * n));
    const cost = the.end(10 * minute, "n0", 1, 100);
    expect(judged(costs, [...quiet, ...reads, cost])).toHaveLength(1);
    expect(judged(costs, [...quiet, the.fault(900, "deaf", 10 * minute, "n0"), ...reads, cost])).toEqual([]);
    expect(judged(costs, [...quiet, the.fault(900, "deaf", 10 * minute, "n1"), ...reads, cost])).toHaveLength(
      1,
    );
  });

  test("sessions that are kept without a socket", () => {
    const left = [...quiet, the.closed(100, "n0", "left")];
    expect(judged(costs, [...left, the.end(minute, "n0", 0, 0)])).toEqual([]);
    expect(judged(costs, [...left, the.end(minute, "n0", 1, 0)])).toEqual([
      "60000: n0 holds 1 sessions, and only 0 have a socket or something under way.",
    ]);
    expect(
      judged(costs, [...left, operation("o1", "append").begins(200), the.end(minute, "n0", 1, 0)]),
    ).toEqual([]);
  });
});
