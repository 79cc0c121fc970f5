/** The second layer: requests of all kinds, and sockets of the plainest kind. */
import { applicationNode } from "../application-node.ts";
import type { SimulatedNode } from "../node.ts";
import type { NodeContext } from "../node-context.ts";

export function requestNode(context: NodeContext): SimulatedNode {
  return applicationNode(context, { recoveries: 0.5, plans: ["websocket"], namespaces: [["/"]] });
}
