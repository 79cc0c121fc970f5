/** The database's side of a `RemoteFeed`: how to subscribe, and how to publish. Each store implements it. */
import type { FeedOptions, SessionChange } from "../../session-store.ts";

/** Receives the events of a connection. Ignores them once the connection is closed. */
export interface FeedSink {
  /** A message of `messages.ts`, published by any node. */
  message(text: string): void;
  /** A change that the database itself reports. */
  changed(change: SessionChange): void;
  /** A note that the database carries in another form than such a message. */
  told(note: string): void;
  /** Everything published before `asOf` has been delivered. */
  alive(asOf: number): void;
  /** Changes may have been missed, but none will be from now on. */
  missed(): void;
  /** The connection has failed. */
  down(error: unknown): void;
}

export interface FeedConnection {
  close(): Promise<void>;
}

export interface FeedSource {
  /**
   * Opens a connection that receives everything published after the promise has resolved. `signal` is aborted when the
   * connection is no longer needed, even while it is being opened, so that an attempt without an answer does not linger.
   */
  open(sink: FeedSink, options: FeedOptions, signal: AbortSignal): Promise<FeedConnection>;
  /**
   * Publishes `textOf(0)`, `textOf(1)`, … through the database, on other connections: one copy by each server that has to
   * prove itself. Resolves to how many. Absent if the connection calls `alive` by itself.
   */
  publish?(textOf: (copy: number) => string): Promise<number>;
  /** The likely cause of silence, for the error of a feed that stays silent. */
  readonly silenceCure: string;
}
