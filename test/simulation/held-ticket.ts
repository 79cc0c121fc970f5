/** Tickets that clients hold, and how they ask a node for one. */
import type { Page } from "./clients/pages.ts";
import type { HeldTicket } from "./node.ts";
import type { NodeContext } from "./node-context.ts";
import { codeOf } from "./operations.ts";
import { epochMs } from "./world/process.ts";

/** `over`: the client was told that its session is over; undefined: it may ask again. */
export type TicketAnswer = HeldTicket | "over" | undefined;

const overCodes = new Set(["SESSION_ENDED", "SESSION_REQUIRED", "SESSION_INVALID"]);

/** Asks for a ticket by `issue`, and records what comes of it. */
export async function issuedTicket(
  { world, ledger, operations, process }: NodeContext,
  sid: string,
  page: Page,
  issue: (op: string) => Promise<{ readonly ticket: string; readonly expiresAt: number }>,
): Promise<TicketAnswer> {
  let answer: TicketAnswer;
  await operations.run("ticket", process, sid, async (op) => {
    const { ticket: text, expiresAt } = await issue(op).catch((error: unknown) => {
      if (overCodes.has(codeOf(error))) answer = "over";
      throw error;
    });
    const name = ledger.nextTicket();
    const about = { node: process.name, session: ledger.nameOf(sid), page, expiresAt: expiresAt - epochMs };
    world.trace.add({ kind: "issued", ticket: name, ...about });
    answer = { name, text, page };
    return null;
  });
  return answer;
}
