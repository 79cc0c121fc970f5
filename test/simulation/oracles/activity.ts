import { middlewareMs, noticeMs, secondMs } from "./bounds.ts";
import { type History, historyOf } from "./history.ts";
import type { Oracle, RunFacts, RunSettings, Violation } from "./oracle.ts";

/** A session in use goes on, an idle one is over at its deadline, and touches are few. */
export const activity: Oracle = {
  name: "activity",
  promise:
    "Events of the client extend the session; heartbeats, polls and acknowledgements don't. Touches are coalesced.",
  judge(run) {
    const history = historyOf(run);
    return [
      ...servedTooLong(run, history),
      ...openTooLong(run, history),
      ...notExtended(run, history),
      ...touchedTooOften(run, history),
      ...storedTooLong(run, history),
      ...shortened(history),
    ];
  },
};

/** Served although its time was over. */
function servedTooLong({ settings }: RunFacts, history: History): Violation[] {
  const violations: Violation[] = [];
  for (const { event, index } of history.served) {
    const { at, node, session, socket } = event;
    const end = history.session(session).endAt(index, at);
    if (end?.why !== "expired") continue;
    const limitMs = overdueMs(settings, history, node, end.at, at);
    if (at - end.at <= limitMs) continue;
    const text = `${node} served ${socket} ${Math.round(at - end.at)} ms after the deadline of ${session}`;
    violations.push({ at, text: `${text}; at most ${Math.round(limitMs)} ms are promised.` });
  }
  return violations;
}

/** A farewell may wait so long for a client that polls (`SessionConnection`). */
const farewellMs = 2_000;

/** Open although its time was over, on a node where nothing goes wrong. */
function openTooLong({ settings, events }: RunFacts, history: History): Violation[] {
  const { maxSkewMs } = settings;
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed, killedAt }] of history.sockets) {
    const { node, session } = asks.event;
    const until = closed?.event.at ?? history.endsAt;
    const end = history.session(session).endAt(closed?.index ?? events.length, until);
    if (answer?.event.kind !== "admitted" || killedAt !== undefined || end?.why !== "expired") continue;
    const limitMs = secondMs + maxSkewMs + noticeMs + farewellMs;
    const lateMs = until - Math.max(end.at, answer.event.at);
    if (lateMs <= limitMs || !history.troubles.isQuiet("store", node, end.at, until)) continue;
    const text = `${name} was open on ${node} for ${Math.round(lateMs)} ms after the deadline of ${session}`;
    violations.push({ at: until, text: `${text}; at most ${Math.round(limitMs)} ms are promised.` });
  }
  return violations;
}

/**
 * To the second, by the clock of the node. Where the store does not answer at the deadline, `revalidateIntervalMs` longer,
 * at the retry that follows it: after a timeout, and one more wait of at most as much (`Revalidation.revalidate`).
 */
function overdueMs(settings: RunSettings, history: History, node: string, since: number, at: number): number {
  const { maxSkewMs, revalidateIntervalMs, storeTimeoutMs } = settings;
  const exactMs = secondMs + maxSkewMs + noticeMs;
  const isQuiet = history.troubles.isQuiet("store", node, since, at);
  return isQuiet ? exactMs : exactMs + maxSkewMs + 2 * revalidateIntervalMs + storeTimeoutMs;
}

interface Use {
  readonly at: number;
  readonly index: number;
  readonly node: string;
  readonly session: string;
  readonly what: string;
}

/** A client's activity: a handled event of its socket, or an answered request. */
function usesOf({ served, operations }: History): Use[] {
  const events = served.flatMap(({ event, index }): Use[] =>
    event.by === "client" ? [{ ...event, index, what: `${event.socket} on ${event.node}` }] : [],
  );
  const requests = [...operations.values()].flatMap(({ op, what, node, session, begins, outcome }): Use[] => {
    const isRequest = what === "load" || what === "save";
    if (!isRequest || outcome?.event.kind !== "done" || !outcome.event.saw) return [];
    return [{ at: begins.event.at, index: outcome.index, node, session, what: `${op} on ${node}` }];
  });
  return [...events, ...requests];
}

/** The first use of each session that did not extend it within a second, on a node that could reach the database. */
function notExtended({ settings }: RunFacts, history: History): Violation[] {
  const { maxAgeMs, maxSkewMs } = settings;
  const violations = new Map<string, Violation>();
  for (const use of usesOf(history)) {
    const { at, index, what } = use;
    const session = history.session(use.session);
    // One that was over, and its node had not noticed yet; what a failover has taken back is lost until the next touch.
    if (violations.has(use.session) || session.endAt(index, at) || session.setBacks.length > 0) continue;
    const stand = session.standAt(index);
    // A session used in its last moment may be over before its touch arrives.
    const isLast = !stand || stand.expiresAt - at < noticeMs + maxSkewMs;
    if (isLast || !canTouch(history, use)) continue;
    // A touch that would move the deadline by less is left out, and goes by the clock of the node.
    const tolerance = 2 * maxSkewMs + secondMs + middlewareMs + lateMs(history, at);
    const leastMs = maxAgeMs - touchIntervalOf(settings) - tolerance;
    const expiresAt = session.latestDeadline(index, at + secondMs);
    if (at + secondMs > history.endsAt || expiresAt >= at + leastMs) continue;
    const text = `${use.session} was to end ${Math.round(expiresAt - at)} ms after ${what} used it, and lives ${maxAgeMs} ms`;
    violations.set(use.session, { at, text: `${text}.` });
  }
  return [...violations.values()];
}

/** Nothing goes wrong at the use, nor while its touch is on its way. */
function canTouch({ troubles }: History, { node, at }: Use): boolean {
  return troubles.isQuiet("store", node, at, at + secondMs);
}

/** A save resets the life from the time at which it was sent: one that another node's network delays shortens it. */
function lateMs({ troubles, bounds }: History, at: number): number {
  const isQuiet = troubles.isQuietEverywhere(at - bounds.connectionsMs, at + bounds.connectionsMs);
  return isQuiet ? 0 : bounds.connectionsMs;
}

/** A touch that is made late, or by a clock that is behind, takes nothing from a life that is longer. */
function shortened({ sessions }: History): Violation[] {
  const violations: Violation[] = [];
  for (const { name, stands } of sessions.values())
    for (const [place, { event, expiresAt }] of stands.entries()) {
      const lostMs = (stands[place - 1]?.expiresAt ?? 0) - expiresAt;
      if (event.kind !== "touched" || lostMs <= 1) continue;
      const text = `A touch took ${Math.round(lostMs)} ms from the life of ${name}.`;
      violations.push({ at: event.at, text });
    }
  return violations;
}

/** No write gives a session more than its life. */
function storedTooLong({ settings }: RunFacts, history: History): Violation[] {
  const { maxAgeMs, maxSkewMs } = settings;
  const violations: Violation[] = [];
  for (const { name, stands } of history.sessions.values())
    for (const { event } of stands) {
      if (event.kind !== "stored" && event.kind !== "touched") continue;
      const { at, kind, expiresAt } = event;
      // Redis is given a life time, which counts from when it arrives.
      const limitMs = maxAgeMs + maxSkewMs + secondMs + lateMs(history, at);
      if (expiresAt - at <= limitMs) continue;
      const text = `${name} was ${kind} for ${Math.round(expiresAt - at)} ms`;
      violations.push({ at, text: `${text}; it lives ${maxAgeMs} ms.` });
    }
  return violations;
}

/**
 * The promise is one touch for each node, as other nodes see a touch only at the deadline
 * (docs/guide/sessions-and-sockets.md). So each of several nodes may make one.
 */
function touchedTooOften({ settings }: RunFacts, history: History): Violation[] {
  const intervalMs = touchIntervalOf(settings);
  const violations: Violation[] = [];
  for (const session of history.sessions.values()) {
    const lastByNode = new Map<string, number>();
    for (const { event } of session.stands) {
      if (event.kind !== "touched" || event.node === undefined) continue;
      const { at, node } = event;
      const last = lastByNode.get(node);
      lastByNode.set(node, at);
      if (last === undefined || at - last >= intervalMs - noticeMs - settings.maxSkewMs) continue;
      if (!isPlain(history, node, last, at)) continue;
      const text = `${node} touched ${session.name} twice within ${Math.round(at - last)} ms`;
      violations.push({ at, text: `${text}; once in ${intervalMs} ms is promised.` });
    }
  }
  return violations;
}

/** A touch without an answer is made again, and a node that was restarted or whose clock was set compares with other times. */
function isPlain({ troubles }: History, node: string, from: number, until: number): boolean {
  const isQuiet =
    troubles.isQuiet("feed", node, from, until) && troubles.isQuiet("opening", node, from, until);
  return isQuiet && troubles.jumps(node, from, until) === 0;
}

/** Never more than a tenth of the life, so that short sessions live as long (`touchIntervalFor`). */
function touchIntervalOf({ touchIntervalMs, maxAgeMs }: RunSettings): number {
  return Math.min(touchIntervalMs, maxAgeMs / 10);
}
