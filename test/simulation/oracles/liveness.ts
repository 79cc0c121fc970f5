import { staysAway } from "../client-ends.ts";
import type { EventOf, TraceEvent } from "../trace.ts";
import { secondMs } from "./bounds.ts";
import { type History, historyOf, type Placed } from "./history.ts";
import type { Oracle, RunFacts, RunSettings, Violation } from "./oracle.ts";
import type { SessionHistory } from "./session-history.ts";

/** Once everything is well, each client is in again or knows why not, and nothing hangs. */
export const liveness: Oracle = {
  name: "liveness",
  promise:
    "Until the database is back nobody new gets in, clients go on trying, and come back by themselves.",
  judge(run) {
    const history = historyOf(run);
    const { calmAt } = history;
    const told = [...toldWrong(run, history), ...noTicket(run, history)];
    const always = [...told, ...thrownOut(run, history), ...gaveUp(history)];
    if (calmAt === undefined) return always;
    return [
      ...always,
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

/** Finds clients that were wrongly made to stay away from a live session: they don't come back. */
function toldWrong({ settings }: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed }] of history.sockets) {
    const { node, session } = asks.event;
    const refusal = answer?.event.kind === "refused" && answer.event.final ? answer.event : undefined;
    const told = closed
      ? { at: closed.event.at, why: closed.event.reason }
      : refusal && { at: refusal.at, why: refusal.code };
    // A client that left has reported that itself.
    if (!told || told.why === "left" || (closed && !staysAway(told.why))) continue;
    const isOfTicket = told.why === "TICKET_INVALID" || told.why === "SESSION_REQUIRED";
    if (isOfTicket && hadBadTicket(history, name, settings)) continue;
    const index = (closed ?? answer)?.index ?? 0;
    const isBeingStored = !history.session(session).standAt(index) && wasStoredBy(history, asks);
    if (!isBeingStored && mayBeOver(history.session(session), index, told.at + settings.maxSkewMs + secondMs))
      continue;
    violations.push({
      at: told.at,
      text: `${node} told ${name} to stay away (${told.why}), and ${session} lives.`,
    });
  }
  return violations;
}

/**
 * Whether the socket asked by a ticket that need not let it in: it was late, for another page, or shown by another client of
 * its page. The store may have lost it, or the answer to the client that took it.
 */
function hadBadTicket(
  { tickets, sockets, troubles, bounds }: History,
  socket: string,
  { maxSkewMs }: RunSettings,
): boolean {
  const answer = sockets.get(socket)?.answer;
  for (const { issued, shown } of tickets.values()) {
    const own = shown.find(({ event }) => event.socket === socket)?.event;
    if (!own || !answer) continue;
    const { page, expiresAt, at } = issued.event;
    const isUsed = shown.some(
      ({ event, index }) =>
        event.connection !== own.connection && event.page === page && index < answer.index,
    );
    const isLate = answer.event.at > expiresAt - 2 * maxSkewMs - secondMs;
    const isLost = !troubles.isQuietEverywhere(at - bounds.connectionsMs, answer.event.at);
    return own.page !== page || own.cookie === "another" || isUsed || isLate || isLost;
  }
  return false;
}

/** Whether the node was storing the session for the first time when the client came, and did. */
function wasStoredBy({ operations }: History, { event, index }: Placed<"asks">): boolean {
  return [...operations.values()].some(
    ({ what, node, session, begins, outcome }) =>
      what === "create" &&
      node === event.node &&
      session === event.session &&
      begins.index < index &&
      outcome?.event.kind === "done",
  );
}

/** Sockets whose session can't be verified although the node could reach the database for longer than a snapshot lasts. */
function thrownOut({ settings }: RunFacts, { sockets, troubles }: History): Violation[] {
  const violations: Violation[] = [];
  for (const [name, { asks, closed }] of sockets) {
    const { node, session } = asks.event;
    if (closed?.event.reason !== "unverified") continue;
    const { at } = closed.event;
    if (!troubles.isQuiet("store", node, at - settings.staleMs, at)) continue;
    violations.push({
      at,
      text: `${node} closed ${name} as unverified, and could ask for ${session} all the time.`,
    });
  }
  return violations;
}

/** How often a write is tried again before it is given up as beaten (`maxAttempts`), less those that a beaten one skips. */
const leastBeaten = 90;

/** Clients that got no ticket, and were told that their session, which lives, is over. */
function noTicket({ settings }: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { op, what, node, session, outcome } of history.operations.values()) {
    if (what !== "ticket" || outcome?.event.kind !== "failed" || !isEndCode(outcome.event.code)) continue;
    const { at, code } = outcome.event;
    if (mayBeOver(history.session(session), outcome.index, at + settings.maxSkewMs + secondMs)) continue;
    violations.push({ at, text: `${node} refused a ticket by ${op} (${code}), and ${session} lives.` });
  }
  return violations;
}

function isEndCode(code: string): boolean {
  return code === "SESSION_ENDED" || code === "SESSION_REQUIRED" || code === "SESSION_INVALID";
}

/** Operations that reported contention without having been beaten. */
function gaveUp({ operations, sessions }: History): Violation[] {
  const violations: Violation[] = [];
  for (const { op, node, session, begins, outcome } of operations.values()) {
    if (outcome?.event.kind !== "failed" || outcome.event.code !== "SESSION_CONTENTION") continue;
    const isBetween = (index: number) => begins.index < index && index < outcome.index;
    const beaten = sessions.get(session)?.stands.filter(({ index }) => isBetween(index)).length ?? 0;
    if (beaten >= leastBeaten) continue;
    const text = `${node} gave up ${op} on ${session} as beaten again and again; it was so ${beaten} times at most.`;
    violations.push({ at: outcome.event.at, text });
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
