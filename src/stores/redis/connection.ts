/**
 * What the Redis store needs of a client, whichever package it is of.
 *
 * ```ts
 * await connection.send("sess:abc", ["GET", "sess:abc"]);
 * ```
 */
import { SocketSessionError } from "../../base/errors.ts";

/** One server. */
export interface RedisNode {
  /** Rejects with the driver's error. Commands that are sent in one turn of the event loop travel together. */
  send(command: readonly string[]): Promise<unknown>;
  /**
   * Opens a connection of its own, that never comes back by itself: what is missed must not go unnoticed. It ends at once
   * when `signal` is aborted, open or not yet.
   */
  subscribe(subscription: Subscription, signal: AbortSignal): Promise<Subscriber>;
}

export interface RedisConnection {
  readonly isCluster: boolean;
  /** The number of the database, as far as the client's options say. */
  readonly database: number;
  /** What the client would put before every key; the store's keys are then not where it looks for them. */
  readonly keyPrefix: string;
  /**
   * Resolves to what tells whether a connection may have been lost since. A driver that then sends again what was not
   * answered, as ioredis does, may have sent a command twice.
   */
  watchForLoss(): Promise<() => boolean>;
  /** Sends a command to the server that has `key`. */
  send(key: string, command: readonly string[]): Promise<unknown>;
  /** All servers that have keys; one if it is no Cluster. */
  masters(): Promise<RedisNode[]>;
}

export interface Subscriber {
  /** Listens to all channels that match, besides. */
  addPattern(pattern: string): Promise<void>;
  close(): void;
}

export interface Subscription {
  readonly channel: string;
  message(text: string): void;
  patternMessage(channel: string, text: string): void;
  /** The connection is of no more use; perhaps it never was. Not called after `close`. */
  down(error: unknown): void;
}

/** Neither driver names the cure. Where `connect()` is under way, commands wait for it. */
export function notConnected(cause?: unknown): SocketSessionError {
  return new SocketSessionError(
    "STORE_OPEN",
    "redisStore() expects a client that is connected; it was one that is not: connect() has not been called, or the client " +
      "has been closed. Write `await client.connect()` before liveSessions(), and close the client after sessions.close().",
    cause === undefined ? {} : { cause },
  );
}

/** Text of a reply, also where the client was set up to give buffers. */
export function replyText(reply: unknown): string {
  return Buffer.isBuffer(reply) ? reply.toString("utf8") : String(reply);
}

export function replyList(reply: unknown): readonly unknown[] {
  return Array.isArray(reply) ? reply : [];
}

/** The last time there is, in milliseconds since the epoch: of what does not end by itself. */
export const latest = 8_640_000_000_000_000;
