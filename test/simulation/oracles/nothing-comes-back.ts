import type { TraceEvent } from "../trace.ts";
import { secondMs } from "./bounds.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import type { SessionHistory, Stand } from "./session-history.ts";

/** An ended session stays ended, and admits no client. */
export const nothingComesBack: Oracle = {
  name: "nothing-comes-back",
  promise:
    "After logout, expiry, `regenerate` or revocation nothing revives the session: no save, touch, poll, reconnect or recovery.",
  judge(run) {
    const history = historyOf(run);
    const revived = [...history.sessions.values()].flatMap((session) => revivals(run, history, session));
    return [...revived, ...admissions(run, history)];
  },
};

function revivals(run: RunFacts, history: History, session: SessionHistory): Violation[] {
  const violations: Violation[] = [];
  for (const stand of session.stands) {
    const { event, before } = stand;
    // A failover undoes ends, and what it has set back to nothing was never stored.
    if (!before || event.kind === "removed" || event.kind === "forgotten" || before.why === "forgotten")
      continue;
    const lateMs = event.at - before.at;
    if (before.why === "expired" && lateMs <= toleranceMs(run, history, stand)) continue;
    if (!isAskedFor(history, session, stand) || isTakenBack(history, session, stand)) continue;
    const text = `${session.name} was ${event.kind} again, ${Math.round(lateMs)} ms after it was ${before.why}.`;
    violations.push({ at: event.at, text });
  }
  return violations;
}

/** A failed request may create again a session that a store has undone and no visitor has ended. */
function isAskedFor({ operations }: History, { name }: SessionHistory, { before, index }: Stand): boolean {
  if (before?.why !== "removed") return true;
  return [...operations.values()].some(
    ({ what, session, begins }) =>
      (what === "end" || what === "regenerate") && session === name && begins.index < index,
  );
}

/** A driver that sends a command again may store what has ended since: docs/stores/redis.md. It does not stay. */
function isTakenBack({ bounds }: History, { stands }: SessionHistory, { event, index }: Stand): boolean {
  const next = stands.find((stand) => stand.index > index);
  return next?.event.kind === "removed" && next.event.at - event.at <= bounds.reopenedMs;
}

/**
 * A time that is over is over by the clock of the node that asks, or of a database that counts in seconds. A write that
 * was asked for in time may be done late where the database hangs, or the network holds it up.
 */
function toleranceMs(
  { settings }: RunFacts,
  { troubles, bounds }: History,
  { event, before }: Stand,
): number {
  const { maxSkewMs } = settings;
  const from = (before?.at ?? event.at) - bounds.connectionsMs;
  const isQuiet = troubles.isQuietEverywhere(from, event.at);
  return maxSkewMs + secondMs + (isQuiet ? 0 : bounds.connectionsMs);
}

/** By a socket or a request that came after the end was acknowledged, or by a save that makes the session only then. */
function admissions({ events }: RunFacts, history: History): Violation[] {
  const acknowledged = new Map<string, { index: number; op: string }>();
  const violations: Violation[] = [];
  for (const [index, event] of events.entries()) {
    const came = cameIn(event, index, history);
    const end = came && acknowledged.get(came.session);
    if (end && came.index > end.index && !isUndone(history.session(came.session), end.op, history, index))
      violations.push({
        at: event.at,
        text: `${came.what} ${came.session}, which ${end.op} had ended before.`,
      });
    if (event.kind === "done" && (event.what === "end" || event.what === "regenerate"))
      acknowledged.set(event.session, acknowledged.get(event.session) ?? { index, op: event.op });
  }
  return violations;
}

/** The clients admitted to each session, and their position in the trace. */
function cameIn(
  event: TraceEvent,
  index: number,
  { sockets, operations, sessions }: History,
): { what: string; session: string; index: number } | undefined {
  if (event.kind === "admitted") {
    const asks = sockets.get(event.socket)?.asks;
    const what = `${event.node} admitted ${event.socket} to`;
    return asks && { what, session: event.session, index: asks.index };
  }
  if (event.kind === "done" && event.saw) {
    const begins = operations.get(event.op)?.begins;
    const what = `${event.node} gave ${event.op}, a request,`;
    return begins && { what, session: event.session, index: begins.index };
  }
  const isFirst = event.kind === "stored" && sessions.get(event.session)?.stands[0]?.index === index;
  return isFirst && !isCreatedLate(event.session, operations)
    ? { what: "The database got", session: event.session, index }
    : undefined;
}

/** Whether the database may have made the session when its node had given it up. */
function isCreatedLate(name: string, operations: History["operations"]): boolean {
  return [...operations.values()].some(
    ({ what, session, outcome }) => what === "create" && session === name && outcome?.event.kind !== "done",
  );
}

/** Whether a failover has brought the session back since the operation began to end it. */
function isUndone(session: SessionHistory, op: string, { operations }: History, before: number): boolean {
  const began = operations.get(op)?.begins.index ?? 0;
  return session.stands.some(
    ({ event, index, values }) => event.kind === "forgotten" && values && began < index && index < before,
  );
}
