/** The third layer: clients of all transports and namespaces. */
import { applicationNode } from "../application-node.ts";
import type { SimulatedNode } from "../node.ts";
import type { NodeContext } from "../node-context.ts";

export function socketNode(context: NodeContext): SimulatedNode {
  return applicationNode(context, {
    recoveries: 0.5,
    plans: ["polling", "polling", "websocket", "upgrade", "upgrade"],
    namespaces: [["/"], ["/chat"], ["/", "/chat"], ["/room-1", "/"], ["/chat", "/room-1", "/room-2", "/"]],
  });
}
