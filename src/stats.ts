import type { FeedState } from "./live/feed.ts";
import type { RefusalCode } from "./protocol.ts";

/** What `sessions.stats()` returns: how things stand on this node, and counts since its start. */
export interface Stats {
  /** Sessions live on this node. */
  readonly live: number;
  /** Connections that hold a session or are guests. */
  readonly connections: number;
  readonly refused: Readonly<Record<RefusalCode, number>>;
  readonly touches: number;
  readonly conflicts: number;
  readonly discarded: number;
  readonly store: {
    readonly name: string;
    readonly atomic: boolean;
    /** `none`: the store has no change feed; `opening`: not there yet, at the start; `broken`: cut off at the moment. */
    readonly feed: FeedState;
    /** What the feed is made of, such as `notify` or `change stream`; undefined where there is none, or not known yet. */
    readonly feedKind: string | undefined;
    /** What cannot be promised over this store, in words. */
    readonly limits: readonly string[];
  };
}
