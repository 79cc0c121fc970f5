import type { EventOf } from "../trace.ts";
import { noticeMs } from "./bounds.ts";
import { type History, historyOf, type Placed } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";

/** Longer than nodes take to introduce themselves, and a receipt to be given. */
const longEnoughMs = 15_000;

type Receipt = Placed<"receipt">;

/** A receipt confirms nothing that is not so, and names each node at which nothing goes wrong. */
export const receipts: Oracle = {
  name: "receipts",
  promise:
    "After a receipt names a node, that node sends nothing of that session's. It says which nodes have not answered, with the time by which their lease has certainly run out.",
  judge(run) {
    const history = historyOf(run);
    const all = run.events.flatMap((event, index): Receipt[] =>
      event.kind === "receipt" ? [{ event, index }] : [],
    );
    return all.flatMap((receipt) => [
      ...servedLater(run, history, receipt),
      ...leftOpen(history, receipt),
      ...notNamed(run, history, receipt),
    ]);
  },
};

function servedLater(
  { settings }: RunFacts,
  history: History,
  { event, index: since }: Receipt,
): Violation[] {
  const { session, nodes, unanswered } = event;
  const past = history.session(session);
  const violations: Violation[] = [];
  for (const { event: served, index } of history.served) {
    const { at, node, socket } = served;
    if (index < since || served.session !== session) continue;
    // A failover that forgets the end lets the cookie in again: docs/stores/redis.md, "Durability".
    if (!past.endAt(index, at) || past.wasSetBack(-1, index)) continue;
    const text = `${node} served ${socket} of ${session}`;
    if (nodes.includes(node)) violations.push({ at, text: `${text}, after ${nameOf(event)} has named it.` });
    const certainBy = unanswered.find((one) => one.node === node)?.certainBy ?? event.certainBy;
    // Both clocks may be wrong, and one that is set back makes a snapshot look younger by as much.
    const jumpsMs =
      2 * settings.maxSkewMs * history.troubles.jumps(node, event.at - 2 * settings.staleMs, at);
    const limit = (certainBy ?? at) + jumpsMs + 2 * settings.maxSkewMs + 2;
    if (at > limit)
      violations.push({
        at,
        text: `${text}, ${Math.round(at - limit)} ms after the lease by ${nameOf(event)}.`,
      });
  }
  return violations;
}

/** Transports are closed as well. A process that is paused traces that late. */
function leftOpen(history: History, { event, index }: Receipt): Violation[] {
  const violations: Violation[] = [];
  for (const [name, { asks, answer, closed, killedAt }] of history.sockets) {
    const { node, session } = asks.event;
    if (session !== event.session || !event.nodes.includes(node) || killedAt !== undefined) continue;
    if (answer?.event.kind !== "admitted" || answer.index > index) continue;
    const closedAt = closed?.event.at ?? history.endsAt;
    if (closedAt <= event.at + noticeMs || history.troubles.wasPaused(node, event.at - noticeMs, closedAt))
      continue;
    const text = `${name} was open on ${node} for ${Math.round(closedAt - event.at)} ms after ${nameOf(event)} had named it.`;
    violations.push({ at: event.at, text });
  }
  return violations;
}

/**
 * A node at which nothing goes wrong answers a node at which nothing goes wrong. If it has left a question unanswered before,
 * the next one does not wait for it.
 */
function notNamed({ events }: RunFacts, { troubles }: History, { event, index }: Receipt): Violation[] {
  if (event.others !== "asked") return [];
  const isWell = (node: string) =>
    (["store", "feed", "opening"] as const).every((one) =>
      troubles.isQuiet(one, node, event.at - longEnoughMs, event.at),
    );
  if (!isWell(event.node)) return [];
  const before = events.slice(0, index).findLast((one) => one.kind === "receipt" && one.node === event.node);
  const owed = before?.kind === "receipt" ? before.unanswered : [];
  const killed = new Set(events.map((one) => one.kind === "fault" && one.fault === "kill" && one.node));
  const running = events.slice(0, index).flatMap((one) => (one.kind === "start" ? [one.node] : []));
  return running
    .filter((node) => !killed.has(node) && isWell(node) && !event.nodes.includes(node))
    .filter((name) => !owed.some(({ node }) => node === name))
    .map((node) => ({ at: event.at, text: `${nameOf(event)} does not name ${node}, which had no trouble.` }));
}

function nameOf({ node, session, at }: EventOf<"receipt">): string {
  return `the receipt of ${node} for ${session} at ${Math.round(at)}`;
}
