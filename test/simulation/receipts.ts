/** Receipts of ends, as a node gives them to its application. */
import type { EndReceipt } from "../../src/session/end-receipt.ts";
import type { NodeContext } from "./node-context.ts";
import { epochMs } from "./world/process.ts";

/** Records a receipt in the trace. Nodes are called there as in receipts: by the names of their processes. */
export function traceReceipt(
  { world, process, ledger }: Pick<NodeContext, "world" | "process" | "ledger">,
  sid: string,
  { ended, nodes, unanswered, others, certainBy }: EndReceipt,
): void {
  const inWorld = (time: number | undefined) => (time === undefined ? {} : { certainBy: time - epochMs });
  world.trace.add({
    kind: "receipt",
    node: process.name,
    session: ledger.nameOf(sid),
    ended,
    nodes: nodes.map(({ node }) => node),
    unanswered: unanswered.map((one) => ({ node: one.node, ...inWorld(one.certainBy) })),
    others,
    ...inWorld(certainBy),
  });
}
