import type { TraceEvent } from "../trace.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";

/** Timers, reads and memory are proportional to what happens. */
export const costs: Oracle = {
  name: "costs",
  promise:
    "One read of the store per connection, none per event; an idle session is read once more, at its deadline.",
  judge(run) {
    const history = historyOf(run);
    return [...livelocks(run), ...spent(run, history), ...held(run, history)];
  },
};

function livelocks({ events }: RunFacts): Violation[] {
  return events.flatMap((event) => (event.kind === "livelock" ? [{ at: event.at, text: event.text }] : []));
}

/**
 * The allowed timers and reads. Each operation of the store has a timer of its own, and moves the timer of the deadlines.
 * A beaten write is repeated, several times if many write at once.
 */
const allowed = {
  timers: { perNode: 50, perUse: 5, perChange: 2, perSecond: 2, perSecondOfTrouble: 10, perRevalidation: 4 },
  reads: {
    perNode: 10,
    perUse: 1.5,
    perChange: 1.2,
    perSecond: 0,
    perSecondOfTrouble: 2,
    perRevalidation: 2,
  },
};
/** A feed that polls asks every 25 ms (SQLite). */
const pollsPerSecond = 40;

type Allowed = (typeof allowed)["timers"];

/** The events on a node from some moment on. */
interface Happened {
  readonly uses: number;
  readonly changes: number;
  readonly seconds: number;
  readonly secondsOfTrouble: number;
  /** How often all its sessions would be read without a feed, times their number. */
  readonly revalidations: number;
}

function spent({ events, settings }: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const event of events) {
    if (event.kind !== "cost") continue;
    const { at, node, timers, sinceMs } = event;
    const happened = happenedOn(node, sinceMs, at, events, history, settings.revalidateIntervalMs);
    const reads = count(events, (one) => one.kind === "read" && one.node === node && one.at >= sinceMs);
    const most = {
      timers: mostOf(allowed.timers, happened) + pollsPerSecond * happened.seconds,
      reads: mostOf(allowed.reads, happened),
    };
    for (const [what, is, limit] of [
      ["timers", timers, most.timers],
      ["reads of the store", reads, most.reads],
    ] as const)
      if (is > limit) {
        const text = `${node} made ${is} ${what} in ${Math.round(at - sinceMs)} ms, at most ${Math.round(limit)} are proportional`;
        violations.push({ at, text: `${text} to ${JSON.stringify(happened)}.` });
      }
  }
  return violations;
}

function happenedOn(
  node: string,
  from: number,
  until: number,
  events: readonly TraceEvent[],
  { troubles }: History,
  revalidateIntervalMs: number,
): Happened {
  const used = new Set<string>();
  let [uses, changes] = [0, 0];
  for (const event of events) {
    if (event.at < from) continue;
    if (event.kind === "stored" || event.kind === "removed") changes++;
    if (!isUse(event) || event.node !== node) continue;
    used.add(event.session);
    uses++;
  }
  const seconds = (until - from) / 1_000;
  const secondsOfTrouble = troubles.lasting(node, from, until) / 1_000;
  const revalidations = (used.size * (until - from)) / revalidateIntervalMs;
  return { uses, changes, seconds, secondsOfTrouble, revalidations };
}

type Use = Extract<TraceEvent, { kind: "asks" | "begins" | "served" | "closed" }>;

function isUse(event: TraceEvent): event is Use {
  return ["asks", "begins", "served", "closed"].includes(event.kind);
}

function mostOf(a: Allowed, happened: Happened): number {
  return (
    a.perNode +
    a.perUse * happened.uses +
    a.perChange * happened.changes +
    a.perSecond * happened.seconds +
    a.perSecondOfTrouble * happened.secondsOfTrouble +
    a.perRevalidation * happened.revalidations
  );
}

function count(events: readonly TraceEvent[], is: (event: TraceEvent) => boolean): number {
  let counted = 0;
  for (const event of events) if (is(event)) counted++;
  return counted;
}

/** Sessions that a node holds have a socket, or something under way. */
function held({ events }: RunFacts, { sockets, operations }: History): Violation[] {
  const violations: Violation[] = [];
  for (const [index, event] of events.entries()) {
    if (event.kind !== "cost") continue;
    const sessions = new Set<string>();
    for (const { asks, answer, closed, killedAt } of sockets.values()) {
      const isOpen = asks.index < index && answer?.event.kind !== "refused" && killedAt === undefined;
      if (isOpen && asks.event.node === event.node && !(closed && closed.index < index))
        sessions.add(asks.event.session);
    }
    for (const { begins, outcome, node, session, killedAt } of operations.values()) {
      const isUnderWay =
        begins.index < index && killedAt === undefined && !(outcome && outcome.index < index);
      if (isUnderWay && node === event.node) sessions.add(session);
    }
    if (event.live <= sessions.size) continue;
    const text = `${event.node} holds ${event.live} sessions, and only ${sessions.size} have a socket or something under way.`;
    violations.push({ at: event.at, text });
  }
  return violations;
}
