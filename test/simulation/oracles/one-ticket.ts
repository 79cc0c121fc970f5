import { noticeMs } from "./bounds.ts";
import { type History, historyOf, type Placed, type TicketHistory } from "./history.ts";
import type { Oracle, RunFacts, Violation } from "./oracle.ts";

/**
 * A ticket lets one connection in, in its time, for clients of the page that it is for, and moves no connection to another
 * session. (That it lets in to its own session: `nobody-else`; while that lives: `nothing-comes-back`.)
 */
export const oneTicket: Oracle = {
  name: "one-ticket",
  promise:
    "Works without the cookie, by a ticket that is good once, for thirty seconds, one session and one origin.",
  judge(run) {
    const history = historyOf(run);
    return [...history.tickets].flatMap(([name, ticket]) => violationsOf(run, history, name, ticket));
  },
};

function violationsOf(run: RunFacts, history: History, name: string, ticket: TicketHistory): Violation[] {
  const violations: Violation[] = [];
  const { issued } = ticket;
  const lastMs = issued.event.expiresAt + lateMs(run, history, issued);
  let first: Placed<"shown">["event"] | undefined;
  for (const { event } of ticket.shown) {
    const { socket, connection, node, page, cookie } = event;
    const answer = history.sockets.get(socket)?.answer;
    if (answer?.event.kind !== "admitted") continue;
    const { at } = answer.event;
    const note = (fault: string) =>
      violations.push({ at, text: `${node} admitted ${socket} by ${name}, ${fault}.` });
    if (page !== issued.event.page)
      note(`which is for clients of ${issued.event.page}, and it comes from ${page}`);
    if (cookie === "another") note("on a connection of another session");
    if (event.at > lastMs)
      note(`${Math.round(event.at - issued.event.expiresAt)} ms after its time was over`);
    if (first && first.connection !== connection && !isForgotten(run, issued.event.at, at))
      note(`which had let in ${first.socket} on ${first.node}`);
    first ??= event;
  }
  return violations;
}

/** By the clock of the node; where the database counts a life from when the write arrives, by as much as that is late. */
function lateMs({ settings }: RunFacts, { troubles, bounds }: History, { event }: Placed<"issued">): number {
  const isQuiet = troubles.isQuietEverywhere(event.at - bounds.connectionsMs, event.at);
  return 2 * settings.maxSkewMs + noticeMs + (isQuiet ? 0 : bounds.connectionsMs);
}

/** Whether a failover may have undone that the ticket was taken: docs/stores/redis.md, "Durability". */
function isForgotten({ events }: RunFacts, since: number, until: number): boolean {
  return events.some(
    (event) => event.kind === "fault" && event.fault === "failover" && since <= event.at && event.at <= until,
  );
}
