/** What a store tells `RemoteFeed` of its database: how to listen to it, and how to publish. */
import type { FeedOptions, SessionChange } from "../../session-store.ts";

/** What a connection tells. Ignored once it is closed. */
export interface FeedSink {
  /** A message of `messages.ts`, published by any node. */
  message(text: string): void;
  /** What the database itself tells of a session. */
  changed(change: SessionChange): void;
  /** Everything published before `asOf` has been told. */
  alive(asOf: number): void;
  /** Something may have been missed, but nothing is from now on. */
  missed(): void;
  /** The connection is of no more use. */
  down(error: unknown): void;
}

export interface FeedConnection {
  close(): Promise<void>;
}

export interface FeedSource {
  /**
   * Opens a connection that hears all that is published after it has resolved. `signal` is aborted when the connection is
   * of no more use, also while it is being opened, so that one that gets no answer need not stay.
   */
  open(sink: FeedSink, options: FeedOptions, signal: AbortSignal): Promise<FeedConnection>;
  /**
   * Publishes through the database, by another connection; resolves to how many copies every connection is to get. Absent
   * where the connection calls `alive` by itself.
   */
  publish?(text: string): Promise<number>;
  /** For the error of a feed that stays silent: what may be the reason. */
  readonly silenceCure: string;
}
