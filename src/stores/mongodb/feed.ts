/**
 * The change feed of the sessions: a change stream if the server supports it (a replica set, a sharded cluster), else a
 * capped collection. The store asks the server when it first needs to know.
 */
import type { Clock } from "../../base/clock.ts";
import { withTimeout } from "../../base/with-timeout.ts";
import type { FeedListener, FeedOptions, FeedTraits, Unsubscribe } from "../../session-store.ts";
import { RemoteFeed } from "../common/remote-feed.ts";
import { MongodbCappedCollection } from "./capped/collection.ts";
import { MongodbChangeReader } from "./change-reader.ts";
import { MongodbChangeStreamSource } from "./change-stream.ts";
import type { MongodbCollection, MongodbDatabase, MongodbWriteOptions } from "./client.ts";
import type { MongodbIds } from "./ids.ts";

/** Every operation waits for the first answer: one that does not come must not hold up the next question. */
const helloMs = 5_000;

export type MongodbFeedKind = "change stream" | "capped collection";

export interface MongodbFeedSetting {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  readonly ids: MongodbIds;
  readonly clock: Clock;
  readonly feed: MongodbFeedKind | "auto";
  /** The write options of the sessions. */
  readonly writeOptions: MongodbWriteOptions;
}

export class MongodbFeed {
  /** The feed's messages; unused with a change stream. */
  readonly messages: MongodbCappedCollection;
  readonly #setting: MongodbFeedSetting;
  readonly #reader: MongodbChangeReader;
  #kind: MongodbFeedKind | undefined;
  #asked: Promise<MongodbFeedKind> | undefined;
  readonly #remote: RemoteFeed;

  constructor(setting: MongodbFeedSetting) {
    const { database, collection, ids, clock, feed, writeOptions } = setting;
    this.#setting = setting;
    this.messages = new MongodbCappedCollection(database, collection, writeOptions, clock);
    this.#reader = new MongodbChangeReader(ids, clock);
    if (feed !== "auto") this.#kind = feed;
    const stream = new MongodbChangeStreamSource(collection, this.#reader, clock);
    this.#remote = new RemoteFeed(
      async () => ((await this.kind()) === "change stream" ? stream : this.messages),
      clock,
    );
  }

  get traits(): FeedTraits | undefined {
    return this.#kind && { kind: this.#kind, complete: this.#kind === "change stream" };
  }

  async kind(): Promise<MongodbFeedKind> {
    if (this.#kind) return this.#kind;
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  listen(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe> {
    return this.#remote.listen(listener, options);
  }

  async close(): Promise<void> {
    this.messages.stop();
    this.#reader.stop();
    await this.#remote.close();
  }

  async #ask(): Promise<MongodbFeedKind> {
    try {
      const { database, clock } = this.#setting;
      const late = () => new Error(`MongoDB did not answer hello within ${helloMs} ms.`);
      const { setName, msg } = await withTimeout(clock, helloMs, () => database.command({ hello: 1 }), late);
      this.#kind = setName || msg === "isdbgrid" ? "change stream" : "capped collection";
      return this.#kind;
    } finally {
      this.#asked = undefined;
    }
  }
}
