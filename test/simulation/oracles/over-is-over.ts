import { secondMs } from "./bounds.ts";
import { type History, historyOf, type Placed } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";
import { unnoticedFor } from "./unnoticed.ts";

/** Sockets of a session that has ended are silent, and closed. (Of one whose time is over: `activity`.) */
export const overIsOver: Oracle = {
  name: "over-is-over",
  promise:
    "All its sockets close, on all nodes; while the feed is cut, within `revalidateIntervalMs`; with the store down or the process frozen, before anything older than `staleMs` is served.",
  judge(run) {
    const history = historyOf(run);
    return [...tooLate(run, history), ...afterAcknowledgement(run, history), ...leftOpen(run, history)];
  },
};

function tooLate(run: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { event, index } of history.served) {
    const { at, node, session, socket } = event;
    const end = history.session(session).endAt(index, at);
    if (!end || end.why === "expired") continue;
    const { limitMs, why } = unnoticedFor(run, history, node, end.at, at);
    if (at - end.at <= limitMs) continue;
    const text = `${node} served ${socket} ${round(at - end.at)} ms after ${session} was ${end.why}; ${why}`;
    violations.push({ at, text: `${text}: at most ${round(limitMs)} ms.` });
  }
  return violations;
}

/** On the node that has acknowledged the end nothing is served from then on, whatever goes wrong. */
function afterAcknowledgement(run: RunFacts, history: History): Violation[] {
  const acknowledged = new Map<string, number>();
  const violations: Violation[] = [];
  for (const [index, event] of run.events.entries()) {
    if (event.kind === "done" && isEnd(event.what)) acknowledged.set(`${event.node} ${event.session}`, index);
    if (event.kind !== "served") continue;
    const { at, node, session, socket } = event;
    const since = acknowledged.get(`${node} ${session}`);
    // A failover that forgets the end lets the cookie in again: docs/stores/redis.md, "Durability".
    if (since === undefined || !history.session(session).endAt(index, at)) continue;
    if (history.session(session).wasSetBack(since, index)) continue;
    violations.push({
      at,
      text: `${node} served ${socket} after it had acknowledged the end of ${session}.`,
    });
  }
  return violations;
}

function isEnd(what: Placed<"done">["event"]["what"]): boolean {
  return what === "end" || what === "regenerate";
}

/** When the run ends, and everything has been well for long. */
function leftOpen({ settings, events }: RunFacts, history: History): Violation[] {
  const { bounds, calmAt, endsAt, troubles } = history;
  const longMs = bounds.aftermathMs + settings.staleMs + settings.maxSkewMs + secondMs;
  if (calmAt === undefined || endsAt - calmAt < longMs) return [];
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed, killedAt }] of history.sockets) {
    const { node, session } = asks.event;
    if (answer?.event.kind !== "admitted" || closed || killedAt !== undefined) continue;
    const end = history.session(session).endAt(events.length, endsAt);
    if (!end || endsAt - end.at < longMs || troubles.isPaused(node, endsAt)) continue;
    const text = `${name} is still open on ${node}, ${round(endsAt - end.at)} ms after ${session} was ${end.why}.`;
    violations.push({ at: endsAt, text });
  }
  return violations;
}

function round(ms: number): number {
  return Math.round(ms);
}
