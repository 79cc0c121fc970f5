import { staysAway } from "../client-ends.ts";
import type { EventOf, TraceEvent } from "../trace.ts";
import { secondMs } from "./bounds.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import type { SessionHistory } from "./session-history.ts";

/** Once everything is well, each client is in again or knows why not, and nothing hangs. */
export const liveness: Oracle = {
  name: "liveness",
  promise:
    "Until the database is back nobody new gets in, clients go on trying, and come back by themselves.",
  judge(run) {
    const history = historyOf(run);
    const { calmAt } = history;
    if (calmAt === undefined) return toldWrong(run, history);
    return [
      ...toldWrong(run, history),
      ...outside(history, calmAt, run.events),
      ...unanswered(history, calmAt),
      ...hanging(history, calmAt),
    ];
  },
};

/** Pages that want in, and are not. */
function outside({ bounds, endsAt }: History, calmAt: number, events: readonly TraceEvent[]): Violation[] {
  const last = new Map<string, EventOf<"client">>();
  for (const event of events) if (event.kind === "client") last.set(event.client, event);
  const violations: Violation[] = [];
  for (const { client, session, state, at } of last.values()) {
    const waitedMs = endsAt - Math.max(at, calmAt);
    if (state !== "outside" || waitedMs <= bounds.returnMs) continue;
    const text = `${client} wants in to ${session}, and is still outside after ${Math.round(waitedMs)} ms in quiet times`;
    violations.push({ at: endsAt, text: `${text}; ${bounds.returnMs} ms are enough.` });
  }
  return violations;
}

/** Sockets that are neither let in nor refused. */
function unanswered({ sockets, bounds, endsAt }: History, calmAt: number): Violation[] {
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed, killedAt }] of sockets) {
    if (answer || closed || killedAt !== undefined) continue;
    const waitedMs = endsAt - Math.max(asks.event.at, calmAt);
    if (waitedMs <= bounds.settleMs) continue;
    const text = `${name} has no answer from ${asks.event.node} after ${Math.round(waitedMs)} ms in quiet times`;
    violations.push({ at: endsAt, text: `${text}; ${bounds.settleMs} ms are enough.` });
  }
  return violations;
}

/** Clients that are told to stay away from a session that lives: they don't come back. */
function toldWrong({ settings }: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed }] of history.sockets) {
    const { node, session } = asks.event;
    const refusal = answer?.event.kind === "refused" && answer.event.final ? answer.event : undefined;
    const told = closed
      ? { at: closed.event.at, why: closed.event.reason }
      : refusal && { at: refusal.at, why: refusal.code };
    // A client that has left has told so itself.
    if (!told || told.why === "left" || (closed && !staysAway(told.why))) continue;
    const index = (closed ?? answer)?.index ?? 0;
    if (mayBeOver(history.session(session), index, told.at + settings.maxSkewMs + secondMs)) continue;
    violations.push({
      at: told.at,
      text: `${node} told ${name} to stay away (${told.why}), and ${session} lives.`,
    });
  }
  return violations;
}

/** Whether the session was over before the event at this place, if only for a while, as where a failover forgets an end. */
function mayBeOver(session: SessionHistory, index: number, at: number): boolean {
  const stand = session.standAt(index);
  if (!stand || session.endAt(index, at)) return true;
  return session.stands.some(({ index: place, end }) => place < index && end);
}

/** Operations that do not settle. */
function hanging({ operations, bounds, endsAt }: History, calmAt: number): Violation[] {
  const violations: Violation[] = [];
  for (const { op, what, node, session, begins, outcome, killedAt } of operations.values()) {
    if (killedAt !== undefined) continue;
    const settledAt = outcome?.event.at ?? endsAt;
    const tookMs = settledAt - Math.max(begins.event.at, calmAt);
    if (tookMs <= bounds.settleMs) continue;
    const state = outcome ? "took" : "has not settled for";
    const text = `${op}, the ${what} of ${session} on ${node}, ${state} ${Math.round(tookMs)} ms in quiet times`;
    violations.push({ at: settledAt, text: `${text}; ${bounds.settleMs} ms are enough.` });
  }
  return violations;
}
