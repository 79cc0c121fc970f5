import type { EndReceipt, LiveSessions } from "socket-session";
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

/** "Revoked on node 1, closed on node 3 in 4 ms." */
export function receiptWords({ nodes: [self, ...others], unanswered }: EndReceipt): string {
  if (!self) return "It was over already.";
  const closings = [
    ...(self.sockets > 0 ? [`there in ${inWords(self.ms)}`] : []),
    ...others.filter(({ sockets }) => sockets > 0).map(({ node, ms }) => `on ${node} in ${inWords(ms)}`),
  ];
  const where = closings.length === 0 ? "no socket was open" : `closed ${closings.join(" and ")}`;
  const silent = unanswered.map(({ node }) => `, ${node} has not answered`);
  return `Revoked on ${self.node}, ${where}${silent.join("")}.`;
}

const inWords = (ms: number) => (ms < 1 ? "less than 1 ms" : `${Math.round(ms)} ms`);
