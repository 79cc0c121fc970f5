/** What the primary of the cluster and its workers send each other. */
type ClusterMessage =
  /** A worker is ready, with its notes. */
  | { readonly type: "chat:ready"; readonly notes: readonly string[] }
  /** A visitor of a worker asks to stop the node of this name for a while. */
  | { readonly type: "chat:stop"; readonly node: string }
  /** What the primary has done to a node, in words for all visitors. */
  | { readonly type: "chat:story"; readonly words: string };

export function sendToPrimary(message: ClusterMessage): void {
  process.send?.(message);
}

/** Undefined for the messages of adapters and balancer. */
export function readClusterMessage(message: unknown): ClusterMessage | undefined {
  if (typeof message !== "object" || message === null || !("type" in message)) return undefined;
  if (message.type === "chat:ready" && "notes" in message && Array.isArray(message.notes))
    return { type: "chat:ready", notes: message.notes.map(String) };
  if (message.type === "chat:stop" && "node" in message)
    return { type: "chat:stop", node: String(message.node) };
  if (message.type === "chat:story" && "words" in message)
    return { type: "chat:story", words: String(message.words) };
  return undefined;
}
