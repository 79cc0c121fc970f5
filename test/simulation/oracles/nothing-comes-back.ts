import { secondMs } from "./bounds.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import type { SessionHistory, Stand } from "./session-history.ts";

/** What has ended stays so, and lets no client in. */
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
    const text = `${session.name} was ${event.kind} again, ${Math.round(lateMs)} ms after it was ${before.why}.`;
    violations.push({ at: event.at, text });
  }
  return violations;
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

function admissions({ events }: RunFacts, history: History): Violation[] {
  const acknowledged = new Map<string, { index: number; op: string }>();
  const violations: Violation[] = [];
  for (const [index, event] of events.entries()) {
    if (event.kind === "done" && (event.what === "end" || event.what === "regenerate"))
      acknowledged.set(event.session, acknowledged.get(event.session) ?? { index, op: event.op });
    if (event.kind !== "admitted") continue;
    const { at, node, socket, session } = event;
    const end = acknowledged.get(session);
    const asks = history.sockets.get(socket)?.asks;
    if (!end || !asks || asks.index < end.index) continue;
    if (isUndone(history.session(session), end.op, history, index)) continue;
    violations.push({
      at,
      text: `${node} admitted ${socket} to ${session}, which ${end.op} had ended before it asked.`,
    });
  }
  return violations;
}

/** Whether a failover has brought the session back since the operation began to end it. */
function isUndone(session: SessionHistory, op: string, { operations }: History, before: number): boolean {
  const began = operations.get(op)?.begins.index ?? 0;
  return session.stands.some(
    ({ event, index, values }) => event.kind === "forgotten" && values && began < index && index < before,
  );
}
