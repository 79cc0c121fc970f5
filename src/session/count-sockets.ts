import { batches } from "../base/batches.ts";
import type { Nodes } from "../live/nodes.ts";
import type { SessionKey } from "../session-store.ts";

/** How many sockets of Socket.IO a session has, in all namespaces. */
export interface SocketCount {
  /** On this node. */
  readonly here: number;
  /** On the other nodes that have answered. Undefined if none could be asked: the store's feed is cut, or can't carry answers. */
  readonly others: number | undefined;
  /** The nodes of which this one knows that have not answered: the session may have more sockets there. */
  readonly unanswered: readonly string[];
}

/** How long a page of sessions waits for a node that does not answer. */
const countMs = 1_000;
/** As many as fit into a note: each takes some 25 bytes. */
const idsPerNote = 100;

/** The sockets of each session, on all nodes. One question, unless the sessions are many. */
export async function countSockets(nodes: Nodes, keys: readonly SessionKey[]): Promise<SocketCount[]> {
  const perNote = Math.max(1, Math.floor(idsPerNote / (keys[0]?.publicIds.length ?? 1)));
  const counts = [...batches(keys, perNote)].map((some) => countBatch(nodes, some));
  return (await Promise.all(counts)).flat();
}

async function countBatch(nodes: Nodes, keys: readonly SessionKey[]): Promise<SocketCount[]> {
  const sessions = keys.map(({ publicIds }) => publicIds);
  const { own, theirs, unanswered, others } = await nodes.ask({ kind: "count", sessions }, countMs);
  return keys.map((_key, index) => {
    const sum = (answers: typeof theirs) =>
      answers.reduce((all, { sockets }) => all + (sockets[index] ?? 0), 0);
    return {
      here: sum(own),
      others: others === "asked" ? sum(theirs) : undefined,
      unanswered: unanswered.map(({ name }) => name),
    };
  });
}
