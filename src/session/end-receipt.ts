import type { Answer } from "../live/asked.ts";
import type { Hub } from "../live/hub.ts";
import type { Answers } from "../live/nodes.ts";
import type { SessionKey } from "../session-store.ts";

/** How long a receipt waits for nodes. A polling client has two seconds to fetch the end, before its transport closes. */
const receiptMs = 5_000;

/**
 * What `sessions.end()` with `receipt: true` resolves to. Times are of this node's clock, in milliseconds since the epoch.
 */
export interface EndReceipt {
  /** Whether this call ended the session. False if it was not stored: `nodes` have then checked that it is over. */
  readonly ended: boolean;
  /**
   * The nodes that have closed every transport of the session, and send nothing more to its sockets; this one first.
   * `node`: its `nodeName`. `sockets`: how many it has closed in the last minute. `ms`: from the call to its answer.
   */
  readonly nodes: readonly { readonly node: string; readonly sockets: number; readonly ms: number }[];
  /**
   * The nodes that this one knows of and that have not answered within 5 s: frozen, cut off, killed, or not asked. `certainBy`:
   * from then on the node serves no socket of the session, as it can't have read it since the end; undefined as below.
   */
  readonly unanswered: readonly { readonly node: string; readonly certainBy: number | undefined }[];
  /**
   * - `asked`: the other nodes were asked.
   * - `cut`: they were not, as the store's feed is cut at this node at the moment.
   * - `unsupported`: they can't be, as the store has no feed, or one that can't carry answers.
   * - `not asked`: nothing was to be ended, as no session of this public id is live on this node.
   */
  readonly others: Answers["others"] | "not asked";
  /**
   * From then on no node serves a socket of the session, whether or not this one knows of it, provided that none has a longer
   * `staleMs`. Undefined if that is never certain: over a store that is not `atomic` another process may store the session again.
   */
  readonly certainBy: number | undefined;
}

/** For a public id that is not live here: no node but one that knows the id could end it. */
export const nothingToEnd: EndReceipt = {
  ...{ ended: false, nodes: [], unanswered: [] },
  ...{ others: "not asked", certainBy: undefined },
};

/** Ends the session as `hub.end` does, then asks all nodes. Rejects if it can't be ended. */
export async function endWithReceipt(
  hub: Hub,
  key: SessionKey,
  words: { readonly message?: string },
): Promise<EndReceipt> {
  const { clock, nodes } = hub;
  const calledAt = clock.now();
  const ended = await hub.end(key, "revoked", words);
  const endedAt = clock.now();
  const { publicIds } = key;
  const question = ended
    ? ({ kind: "end", publicIds, ...words } as const)
    : ({ kind: "gone", publicIds } as const);
  const { own, theirs, unanswered, others, longestLeaseMs } = await nodes.ask(question, receiptMs);
  /** What a node served then it may serve for so long, if nothing tells it otherwise. */
  const certainBy = (leaseMs: number) => (hub.store.atomic ? endedAt + leaseMs : undefined);
  const closed = ({ node, sockets: [sockets = 0], at }: Answer) => ({
    ...{ node: node.name, sockets, ms: Math.max(0, at - calledAt) },
  });
  return {
    ended,
    nodes: [...own, ...theirs].map(closed),
    unanswered: unanswered.map(({ name, leaseMs }) => ({ node: name, certainBy: certainBy(leaseMs) })),
    others,
    certainBy: certainBy(longestLeaseMs),
  };
}
