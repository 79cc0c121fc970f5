/**
 * The change feed of the Redis store: a subscription by a connection of its own, duplicated from the client. What a
 * script writes it publishes in the same step; where keyspace events are on, other packages' writes are heard besides.
 *
 * In a Cluster the servers pass messages on to each other. A beat therefore goes through every one of them, and the feed
 * is alive when all have come back.
 */
import { randomUUID } from "node:crypto";
import createDebug from "debug";
import type { Clock } from "../clock.ts";
import type { FeedOptions } from "../core/session-store.ts";
import { withTimeout } from "../core/with-timeout.ts";
import { SocketSessionError } from "../errors.ts";
import { beatMessage, readMessage } from "./change-message.ts";
import type { RedisConnection, RedisNode, Subscription } from "./redis-connection.ts";
import type { RedisNames } from "./redis-keys.ts";
import {
  isNews,
  keyOfEvent,
  keyspaceConfig,
  keyspacePattern,
  OwnEvents,
  selectedDatabase,
} from "./redis-keyspace.ts";
import type { FeedConnection, FeedSink, FeedSource } from "./remote-feed.ts";

const debug = createDebug("socket-session:store");

export interface RedisFeedOptions {
  readonly connection: RedisConnection;
  readonly names: RedisNames;
  readonly clock: Clock;
  readonly keyspaceEvents: boolean | "auto";
}

export class RedisFeed implements FeedSource {
  readonly silenceCure =
    "Does the client reach the server, and may its user publish to and subscribe to the channel " +
    "socket-session:<prefix>?";
  /** Absent in a Cluster, where the connection sends beats by itself. */
  readonly publish?: (text: string) => Promise<void>;
  readonly #options: RedisFeedOptions;
  #hearsKeys = false;

  constructor(options: RedisFeedOptions) {
    this.#options = options;
    if (!options.connection.isCluster) this.publish = (text) => this.#publishOnce(text);
  }

  /** Whether keyspace events are heard: then our own writes have to be marked. */
  get hearsKeys(): boolean {
    return this.#hearsKeys;
  }

  get kind(): string {
    return this.#hearsKeys ? "pub/sub and keyspace events" : "pub/sub";
  }

  async open(sink: FeedSink, { heartbeatMs }: FeedOptions): Promise<FeedConnection> {
    const { connection, names, clock } = this.#options;
    const [node, pattern] = await this.#whereToListen();
    const beats = connection.isCluster
      ? new ClusterBeats(connection, names.channel, clock, heartbeatMs, sink)
      : undefined;
    const listener = { channel: names.channel, ...this.#handlers(sink, beats), down: sink.down };
    const late = () =>
      new SocketSessionError(
        "STORE_TIMEOUT",
        `Expected to subscribe within ${2 * heartbeatMs} ms, but there was no answer. ${this.silenceCure}`,
      );
    const opening = this.#subscribe(node, listener, pattern);
    opening.catch(() => {}); // told by withTimeout, or of no interest any more
    const subscription = await withTimeout(
      clock,
      2 * heartbeatMs,
      () => opening,
      () => {
        opening.then((opened) => opened.close()).catch(() => {}); // it came too late
        return late();
      },
    );
    beats?.start();
    return {
      close: () => {
        beats?.stop();
        return subscription.close();
      },
    };
  }

  async #publishOnce(text: string): Promise<void> {
    const { connection, names } = this.#options;
    await connection.send(names.channel, ["PUBLISH", names.channel, text]);
  }

  #handlers(sink: FeedSink, beats: ClusterBeats | undefined) {
    const { names } = this.#options;
    const own = new OwnEvents();
    return {
      message: (text: string) => {
        const message = readMessage(text);
        own.message(message);
        if (beats && message.kind === "beat") beats.heard(message.beat);
        else sink.message(text);
      },
      patternMessage: (channel: string, event: string) => {
        const key = keyOfEvent(channel);
        if (!isNews(event) || own.includes(key, event)) return;
        const sid = names.sidOf(key);
        if (sid !== undefined) sink.changed({ kind: "changed", sid });
      },
    };
  }

  /** Any server will do, in a Cluster as well. */
  async #whereToListen(): Promise<[node: RedisNode, pattern: string | undefined]> {
    const masters = await this.#options.connection.masters();
    const node = masters[Math.floor(Math.random() * masters.length)];
    if (!node)
      throw new SocketSessionError("STORE_FAILED", "Expected the Cluster's client to know a master.");
    return [node, (await this.#wantsKeys(node)) ? await this.#pattern(node) : undefined];
  }

  async #pattern(node: RedisNode): Promise<string> {
    const { connection, names } = this.#options;
    return keyspacePattern((await selectedDatabase(node)) ?? connection.database, names.sessions);
  }

  async #wantsKeys(node: RedisNode): Promise<boolean> {
    const { connection, keyspaceEvents } = this.#options;
    if (keyspaceEvents === false || connection.isCluster) return false;
    const config = await keyspaceConfig(node);
    if (keyspaceEvents === "auto") return config?.all === true;
    if (config && !config.all) {
      throw new SocketSessionError(
        "INVALID_OPTION",
        `Expected Redis to tell of its keys, but notify-keyspace-events is ${JSON.stringify(config.flags)}. ` +
          "Set it to Kg$x (or more), or leave redisStore's keyspaceEvents out.",
      );
    }
    return true;
  }

  async #subscribe(node: RedisNode, listener: Subscription, pattern: string | undefined) {
    try {
      const subscription = await node.subscribe({ ...listener, pattern });
      this.#hearsKeys = pattern !== undefined;
      return subscription;
    } catch (error) {
      const isRefused = error instanceof Error && error.message.startsWith("NOPERM");
      if (pattern === undefined || this.#options.keyspaceEvents !== "auto" || !isRefused) throw error;
      debug("the user may not subscribe to keyspace events: %s", error.message);
      this.#hearsKeys = false;
      return node.subscribe(listener);
    }
  }
}

/** A sign of life through every server of a Cluster, again and again. */
class ClusterBeats {
  readonly #connection: RedisConnection;
  readonly #channel: string;
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #sink: Pick<FeedSink, "alive" | "down">;
  #missing = new Set<string>();
  #sentAt = 0;
  #cancel: (() => void) | undefined;
  #stopped = false;

  constructor(
    connection: RedisConnection,
    channel: string,
    clock: Clock,
    everyMs: number,
    sink: Pick<FeedSink, "alive" | "down">,
  ) {
    this.#connection = connection;
    this.#channel = channel;
    this.#clock = clock;
    this.#everyMs = everyMs;
    this.#sink = sink;
  }

  start(): void {
    this.#cancel = this.#clock.after(this.#everyMs, () => this.start());
    this.#send().catch((error: unknown) => this.#sink.down(error));
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
  }

  heard(beat: string): void {
    if (this.#missing.delete(beat) && this.#missing.size === 0) this.#sink.alive(this.#sentAt);
  }

  async #send(): Promise<void> {
    const masters = await this.#connection.masters();
    if (this.#stopped) return;
    const beats = masters.map((node) => ({ node, beat: randomUUID() }));
    this.#sentAt = this.#clock.now();
    this.#missing = new Set(beats.map(({ beat }) => beat));
    await Promise.all(
      beats.map(({ node, beat }) => node.send(["PUBLISH", this.#channel, beatMessage(beat)])),
    );
  }
}
