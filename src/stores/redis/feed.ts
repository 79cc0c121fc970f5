/**
 * The change feed of the Redis store: a subscription on a connection of its own, duplicated from the client. A script
 * publishes its write in the same atomic step. If keyspace events are on, the feed also receives other packages' writes.
 */
import createDebug from "debug";
import { type Clock, randomOf } from "../../base/clock.ts";
import { errorText, SocketSessionError } from "../../base/errors.ts";
import type { FeedOptions, FeedTraits } from "../../session-store.ts";
import type { FeedConnection, FeedSink, FeedSource } from "../common/feed-source.ts";
import { readMessage } from "../common/messages.ts";
import type { RedisConnection, RedisNode, Subscriber } from "./connection.ts";
import type { RedisNames } from "./keys.ts";
import {
  isNews,
  keyOfEvent,
  keyspaceConfig,
  keyspacePattern,
  OwnEvents,
  selectedDatabase,
} from "./keyspace.ts";

const debug = createDebug("socket-session:store");

export interface RedisFeedOptions {
  readonly connection: RedisConnection;
  readonly names: RedisNames;
  readonly clock: Clock;
  readonly keyspaceEvents: boolean | "auto";
  readonly otherWriters: boolean;
}

export class RedisFeed implements FeedSource {
  readonly silenceCure =
    "Does the client reach the server, and may its user publish to and subscribe to the channel " +
    "socket-session:<prefix>?";
  readonly #options: RedisFeedOptions;
  #receivesKeyEvents = false;

  constructor(options: RedisFeedOptions) {
    this.#options = options;
  }

  /** Whether the feed receives keyspace events: the store then has to mark its own writes. */
  get receivesKeyEvents(): boolean {
    return this.#receivesKeyEvents;
  }

  get traits(): FeedTraits {
    return {
      kind: this.#receivesKeyEvents ? "pub/sub and keyspace events" : "pub/sub",
      complete: this.#receivesKeyEvents || !this.#options.otherWriters,
    };
  }

  /** The caller aborts `signal` when opening takes too long. */
  async open(sink: FeedSink, _options: FeedOptions, signal: AbortSignal): Promise<FeedConnection> {
    const { names } = this.#options;
    const node = await this.#anyNode();
    signal.throwIfAborted();
    const subscriber = await node.subscribe(
      { channel: names.channel, ...this.#handlers(sink), down: (error) => sink.down(error) },
      signal,
    );
    try {
      const receivesKeyEvents = await this.#addKeys(node, subscriber);
      signal.throwIfAborted(); // a later connection may have replaced this one
      this.#receivesKeyEvents = receivesKeyEvents;
    } catch (error) {
      subscriber.close();
      throw error;
    }
    return { close: async () => subscriber.close() };
  }

  /** Publishes on every server of a Cluster: each forwards the message to the server of the subscription. */
  async publish(textOf: (copy: number) => string): Promise<number> {
    const { channel } = this.#options.names;
    const masters = await this.#masters();
    await Promise.all(masters.map((node, copy) => node.send(["PUBLISH", channel, textOf(copy)])));
    return masters.length;
  }

  #handlers(sink: FeedSink) {
    const { names } = this.#options;
    const own = new OwnEvents();
    return {
      message: (text: string) => {
        own.message(readMessage(text));
        sink.message(text);
      },
      patternMessage: (channel: string, event: string) => {
        const key = keyOfEvent(channel);
        if (!isNews(event) || own.includes(key, event)) return;
        const sid = names.sidOf(key);
        if (sid !== undefined) sink.changed({ kind: "changed", sid });
      },
    };
  }

  /** Any server will do, even in a Cluster. */
  async #anyNode(): Promise<RedisNode> {
    const masters = await this.#masters();
    return masters[Math.floor(randomOf(this.#options.clock) * masters.length)] ?? masters[0];
  }

  async #masters(): Promise<[RedisNode, ...RedisNode[]]> {
    const [first, ...others] = await this.#options.connection.masters();
    if (first) return [first, ...others];
    throw new SocketSessionError(
      "STORE_FAILED",
      "Expected the Cluster's client to know a master, but it knows none.",
    );
  }

  /** Subscribes to keyspace events, and returns whether it has. */
  async #addKeys(node: RedisNode, subscriber: Subscriber): Promise<boolean> {
    const { connection, names, keyspaceEvents } = this.#options;
    if (!(await this.#wantsKeys(node))) return false;
    const database = (await selectedDatabase(node)) ?? connection.database;
    try {
      await subscriber.addPattern(keyspacePattern(database, names.sessions));
      return true;
    } catch (error) {
      const isRefused = error instanceof Error && error.message.startsWith("NOPERM");
      if (keyspaceEvents !== "auto" || !isRefused) throw error;
      debug("the user may not subscribe to keyspace events: %s", errorText(error));
      return false;
    }
  }

  async #wantsKeys(node: RedisNode): Promise<boolean> {
    const { connection, keyspaceEvents } = this.#options;
    if (keyspaceEvents === false || connection.isCluster) return false;
    const config = await keyspaceConfig(node);
    if (keyspaceEvents === "auto") return config?.all === true;
    if (config && !config.all) {
      throw new SocketSessionError(
        "INVALID_OPTION",
        `Expected Redis to publish keyspace events, but notify-keyspace-events is ${JSON.stringify(config.flags)}. ` +
          "Set it to Kg$x (or more), or leave redisStore's keyspaceEvents out.",
      );
    }
    return true;
  }
}
