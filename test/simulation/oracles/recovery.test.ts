import { describe, expect, test } from "vitest";
import type { TraceEvent } from "../trace.ts";
import { judged, the } from "./a-run.ts";
import { recovery } from "./recovery.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;

function resumes(at: number, socket: string, of: string, isCut = false): TraceEvent {
  return { at, kind: "resumes", socket, node: "n0", session: "s0", of, isCut };
}

function recovered(at: number, socket: string, session = "s0", line = "k0"): TraceEvent {
  return { at, kind: "recovered", socket, node: "n0", session, line };
}

function resent(at: number, socket: string, of: string, session = "s0"): TraceEvent {
  return { at, kind: "resent", socket, node: "n0", session, of };
}

/** `k0` was in, and lost its connection. */
const before = [
  the.stored(1),
  the.asks(t, "n0"),
  the.admitted(t + 5, "n0"),
  the.closed(t + 10, "n0", "transport close"),
];

/** Another socket, of a client that knows the pid of `of`. */
function comesBack(at: number, socket: string, of = "k0"): TraceEvent[] {
  return [
    the.asks(at, "n0", socket),
    resumes(at, socket, of),
    the.admitted(at + 5, "n0", socket),
    recovered(at + 5, socket),
  ];
}

describe("recovery", () => {
  test("a client gets its socket back, with what that has missed, again and again", () => {
    const once = [...before, ...comesBack(t + 100, "k1"), resent(t + 110, "k1", "k0")];
    const closed = the.closed(t + 150, "n0", "transport close", "k1");
    const twice = [...once, closed, ...comesBack(t + 200, "k2", "k1")];
    expect(judged(recovery, [...twice, resent(t + 210, "k2", "k0"), resent(t + 210, "k2", "k1")])).toEqual(
      [],
    );
  });

  test("a socket that another session recovers", () => {
    const other = [the.asks(t + 100, "n0", "k1", "s1"), resumes(t + 100, "k1", "k0")];
    const admitted = [the.admitted(t + 105, "n0", "k1", "s1"), recovered(t + 105, "k1", "s1")];
    expect(judged(recovery, [...before, ...other, ...admitted])).toEqual([
      "1000105: n0 recovered k0 as k1, which was in s0, and is in s1.",
    ]);
    expect(judged(recovery, [...before, ...other, resent(t + 110, "k1", "k0", "s1")])).toEqual([
      "1000110: The client of k1 received from n0 what was for k0: k0 was in s0, and k1 is in s1.",
    ]);
  });

  test("a socket whose client has only a part of the pid, or none", () => {
    const asks = [...before, the.asks(t + 100, "n0", "k1")];
    const fault = "1000110: n0 recovered k0 as k1, whose client had no pid of it.";
    expect(judged(recovery, [...asks, recovered(t + 110, "k1")])).toEqual([fault]);
    const cut = resumes(t + 100, "k1", "k0", true);
    expect(judged(recovery, [...asks, cut, recovered(t + 110, "k1")])).toEqual([fault]);
    expect(judged(recovery, [...asks, resent(t + 110, "k1", "k0")])).toEqual([
      "1000110: The client of k1 received from n0 what was for k0, and had not asked for that.",
    ]);
  });

  test("a socket that two clients have at once", () => {
    const twice = [...before, ...comesBack(t + 100, "k1"), ...comesBack(t + 200, "k2")];
    expect(judged(recovery, twice)).toEqual(["1000205: n0 recovered k0 as k2, while k1 was connected."]);
    const after = the.closed(t + 150, "n0", "transport close", "k1");
    expect(
      judged(recovery, [...before, ...comesBack(t + 100, "k1"), after, ...comesBack(t + 200, "k2")]),
    ).toEqual([]);
  });

  test("what is sent again when the session is over", () => {
    const back = [...before, ...comesBack(t + 100, "k1"), the.removed(t + 110)];
    expect(judged(recovery, [...back, resent(t + 300, "k1", "k0")])).toEqual([]);
    expect(judged(recovery, [...back, resent(t + 500, "k1", "k0")])).toHaveLength(1);
    const cut = the.fault(t + 50, "cut", t + 900, "n0");
    expect(judged(recovery, [...back, cut, resent(t + 500, "k1", "k0")])).toEqual([]);
  });
});
