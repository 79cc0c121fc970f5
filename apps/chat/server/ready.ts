/** How a worker tells the primary of the cluster that it serves, and what it has to say. */
interface ReadyMessage {
  readonly type: "chat:ready";
  readonly notes: readonly string[];
}

export function tellReady(notes: readonly string[]): void {
  const message: ReadyMessage = { type: "chat:ready", notes };
  process.send?.(message);
}

export function isReadyMessage(message: unknown): message is ReadyMessage {
  return (
    typeof message === "object" && message !== null && "type" in message && message.type === "chat:ready"
  );
}
