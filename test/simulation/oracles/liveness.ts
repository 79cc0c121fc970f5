import { staysAway } from "../client-ends.ts";
import { type History, historyOf, type SocketHistory } from "./history.ts";
import type { Oracle, Violation } from "./oracle.ts";

/** Once everything is well, each client is in again or knows why not, and nothing hangs. */
export const liveness: Oracle = {
  name: "liveness",
  promise:
    "Until the database is back nobody new gets in, clients go on trying, and come back by themselves.",
  judge(run) {
    const history = historyOf(run);
    if (history.calmAt === undefined) return [];
    return [...outside(history, history.calmAt), ...hanging(history, history.calmAt)];
  },
};

/** Clients that want in, and are not. */
function outside({ sockets, bounds, endsAt, troubles, left }: History, calmAt: number): Violation[] {
  const lastByClient = new Map<string, SocketHistory>();
  for (const [name, socket] of sockets) lastByClient.set(socket.asks.event.client ?? name, socket);
  const violations: Violation[] = [];
  for (const [client, socket] of lastByClient) {
    const { node, session } = socket.asks.event;
    const since = outsideSince(socket);
    if (since === undefined || left.has(client.split(" ")[0] ?? client) || troubles.isPaused(node, endsAt))
      continue;
    // A socket without a client of its own says nothing of what came after it.
    if (socket.asks.event.client === undefined && socket.answer) continue;
    const waitedMs = endsAt - Math.max(since.at, calmAt);
    if (waitedMs <= bounds.returnMs) continue;
    const text = `${client} ${since.what} on ${node}, and is not in ${session} again after ${Math.round(waitedMs)} ms`;
    violations.push({ at: endsAt, text: `${text}; ${bounds.returnMs} ms are enough.` });
  }
  return violations;
}

/** Since when the client has waited to be in; undefined if it is in, has left or has been told to stop. */
function outsideSince({ asks, answer, closed, killedAt }: SocketHistory) {
  if (closed) {
    const { reason, at } = closed.event;
    return staysAway(reason) ? undefined : { at, what: `was closed (${reason})` };
  }
  if (answer?.event.kind === "refused") {
    const { final, code, at } = answer.event;
    return final ? undefined : { at, what: `was refused (${code})` };
  }
  if (killedAt !== undefined) return { at: killedAt, what: "lost its node" };
  return answer ? undefined : { at: asks.event.at, what: "got no answer" };
}

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
