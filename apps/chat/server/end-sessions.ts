import type { EndReceipt, LiveSessions } from "socket-session";
import { countOf } from "../shared/count-of.ts";
import type { FormAnswer } from "../shared/events.ts";

/** Ends one session of a user, on all nodes, and says where its sockets were closed. */
export async function endDevice(
  sessions: LiveSessions,
  userId: string,
  publicId: string,
): Promise<FormAnswer> {
  if (publicId === "") return { ok: false, problem: "gone" };
  const receipt = await sessions.user(userId).end({ publicId, receipt: true });
  return receipt.ended ? { ok: true, story: receiptWords(receipt) } : { ok: false, problem: "gone" };
}

/** "Revoked on node 1. Closed: 2 sockets on node 3 in 4 ms." With one node, which then is not named. */
export function receiptWords({ nodes, unanswered }: EndReceipt): string {
  const [self] = nodes;
  if (!self) return "It was over already.";
  const isAlone = nodes.length + unanswered.length === 1;
  const on = (node: string) => (isAlone ? "" : ` on ${node}`);
  const closed = nodes
    .filter(({ sockets }) => sockets > 0)
    .map(({ node, sockets, ms }) => `${countOf(sockets, "socket")}${on(node)} in ${inWords(ms)}`);
  const what = closed.length === 0 ? "No socket was open" : `Closed: ${closed.join(", ")}`;
  const silent = unanswered.map(({ node }) => ` No answer from ${node}.`);
  return `Revoked${on(self.node)}. ${what}.${silent.join("")}`;
}

const inWords = (ms: number) => (ms < 1 ? "less than 1 ms" : `${Math.round(ms)} ms`);
