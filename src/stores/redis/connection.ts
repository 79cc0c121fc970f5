/**
 * The Redis store's interface to a client of either package.
 *
 * ```ts
 * await connection.send("sess:abc", ["GET", "sess:abc"]);
 * ```
 */
import { SocketSessionError } from "../../base/errors.ts";

/** One server. */
export interface RedisNode {
  /** Rejects with the driver's error. Commands sent in one turn of the event loop are pipelined. */
  send(command: string[]): Promise<unknown>;
  /**
   * Opens a connection of its own that never reconnects: missed messages must not go unnoticed. Aborting `signal` ends it
   * at once, even while it is being opened.
   */
  subscribe(subscription: Subscription, signal: AbortSignal): Promise<Subscriber>;
}

export interface RedisConnection {
  readonly isCluster: boolean;
  /** The number of the database, according to the client's options. */
  readonly database: number;
  /** The client's own prefix for every key. With one, the store would not find its keys. */
  readonly keyPrefix: string;
  /**
   * Resolves to a function that says whether a connection may have been lost since: the driver resends unanswered commands, as
   * ioredis does, and may then have sent a command twice. Undefined for one that rejects them.
   */
  readonly watchForLoss?: () => Promise<() => boolean>;
  /** Sends a command to the server that has `key`. */
  send(key: string, command: string[]): Promise<unknown>;
  /** All servers that have keys; a single one without a Cluster. */
  masters(): Promise<RedisNode[]>;
}

export interface Subscriber {
  /** Also subscribes to all channels that match. */
  addPattern(pattern: string): Promise<void>;
  close(): void;
}

export interface Subscription {
  readonly channel: string;
  message(text: string): void;
  patternMessage(channel: string, text: string): void;
  /** The connection has failed, or could not be opened. Not called after `close`. */
  down(error: unknown): void;
}

/** Names the cure, which neither driver does. While `connect()` is under way, commands wait for it instead. */
export function notConnected(cause?: unknown): SocketSessionError {
  return new SocketSessionError(
    "STORE_OPEN",
    "redisStore() expects a client that is connected; it was one that is not: connect() has not been called, or the client " +
      "has been closed. Write `await client.connect()` before liveSessions(), and close the client after sessions.close().",
    cause === undefined ? {} : { cause },
  );
}

/** The text of a reply, even if the client is set up to return buffers. */
export function replyText(reply: unknown): string {
  return Buffer.isBuffer(reply) ? reply.toString("utf8") : String(reply);
}

export function replyList(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

/** The latest possible time, in milliseconds since the epoch, for sessions that do not expire. */
export const latest = 8_640_000_000_000_000;
