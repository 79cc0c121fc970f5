import { describe, expect, test } from "vitest";
import type { Intrusion, TraceEvent } from "../trace.ts";
import { judged, the } from "./a-run.ts";
import { nobodyElse } from "./nobody-else.ts";

function intruder(at: number, what: Intrusion, isLetIn: boolean, isBare = false): TraceEvent {
  return { at, kind: "intruder", node: "n0", session: "s0", what, isBare, isLetIn };
}

describe("nobody-else", () => {
  test("a client with another cookie takes part in a connection", () => {
    expect(judged(nobodyElse, [intruder(10, "poll", false)])).toEqual([]);
    expect(judged(nobodyElse, [intruder(10, "poll", true)])).toEqual([
      "10: n0 let in a client that has no right to s0: poll.",
    ]);
  });

  test("a client without a cookie fetches the farewell of a session that is over", () => {
    const start = [the.stored(1), the.asks(2, "n0"), the.admitted(3, "n0")];
    const bare = intruder(10_000, "poll", true, true);
    expect(judged(nobodyElse, [...start, bare])).toHaveLength(1);
    expect(judged(nobodyElse, [...start, the.removed(9_000), bare])).toEqual([]);
    expect(judged(nobodyElse, [...start, the.closed(9_000, "n0", "unverified"), bare])).toEqual([]);
    expect(judged(nobodyElse, [...start, the.closed(9_000, "n0", "transport close"), bare])).toHaveLength(1);
    const another = intruder(10_000, "poll", true);
    expect(judged(nobodyElse, [...start, the.removed(9_000), another])).toHaveLength(1);
  });

  test("a client is let in to another session than it has proven", () => {
    expect(judged(nobodyElse, [the.asks(1, "n0"), the.admitted(10, "n0")])).toEqual([]);
    expect(judged(nobodyElse, [the.asks(1, "n0"), the.admitted(10, "n0", "k0", "s1")])).toEqual([
      "10: n0 admitted k0, whose client has proven s0, to s1.",
    ]);
  });

  test("a client that was refused stays, on a node that runs", () => {
    expect(judged(nobodyElse, [intruder(10_000, "stay", true)])).toHaveLength(1);
    const paused = [the.fault(1_000, "pause", 9_000, "n0"), intruder(10_000, "stay", true)];
    expect(judged(nobodyElse, paused)).toEqual([]);
  });
});
