/** Sent by a worker to the primary of the cluster when it is ready, with its notes. */
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
