import { describe, expect, test } from "vitest";
import type { TraceEvent } from "../trace.ts";
import { judged, values } from "./a-run.ts";
import { cap } from "./cap.ts";

/** Long after the start, so that nothing of it excuses anything. */
const t = 1_000_000;
const quiet = t + 100_000;
const two = { cap: { max: 2, whenFull: "refuse" } } as const;

/** A login, which stores its session, and what happens before its outcome. */
function login(at: number, session: string, ...before: TraceEvent[]): TraceEvent[] {
  const about = { op: `login of ${session}`, what: "create", node: "n1", session, key: "capped" } as const;
  return [
    { at, kind: "begins", ...about },
    { at: at + 10, kind: "stored", session, values: values(), expiresAt: at + 200_000 },
    ...before,
    { at: at + 50, kind: "done", ...about, saw: null },
  ];
}

const removed = (at: number, session: string): TraceEvent => ({ at, kind: "removed", session });

function logout(at: number, session: string): TraceEvent[] {
  const about = { op: `logout of ${session}`, what: "end", node: "n1", session } as const;
  return [
    { at, kind: "begins", ...about },
    removed(at + 10, session),
    { at: at + 50, kind: "done", ...about, saw: null },
  ];
}

const calm: TraceEvent = { at: t, kind: "calm" };
const before = [...login(t - 500, "s0"), ...login(t - 400, "s1"), calm];

describe("the cap", () => {
  test("is kept where the sessions too many have ended by the outcome of the last login", () => {
    expect(judged(cap, [...before, ...login(quiet, "s2", removed(quiet + 20, "s0"))], two)).toEqual([]);
  });

  test("one too many", () => {
    expect(judged(cap, [...before, ...login(quiet, "s2")], two)).toEqual([
      "1100050: 1 logins in quiet times have left the user 3 of 2 sessions.",
    ]);
  });

  test("one too few", () => {
    const ended = [removed(quiet + 20, "s0"), removed(quiet + 20, "s1"), removed(quiet + 20, "s2")];
    expect(judged(cap, [...before, ...login(quiet, "s2", ...ended)], two)).toEqual([
      "1100050: 1 logins in quiet times have left the user 0 sessions, not 1.",
    ]);
  });

  test("a session that the user has logged out of is not missed", () => {
    const events = [
      ...before,
      ...login(quiet, "s2", removed(quiet + 20, "s0")),
      ...logout(quiet + 100, "s2"),
    ];
    expect(judged(cap, [...events, ...login(quiet + 200, "s3")], two)).toEqual([]);
  });

  test("while something goes wrong there may be more, until the next login", () => {
    expect(judged(cap, [...login(t - 600, "s3"), ...before], two)).toEqual([]);
  });
});
