/**
 * The change feed of the sessions: a change stream where the server has them (a replica set, a sharded cluster), else a
 * capped collection. Which one, the server says when it is first needed.
 */
import type { Clock } from "../clock.ts";
import type { FeedListener, FeedOptions, FeedTraits, Unsubscribe } from "../core/session-store.ts";
import { MongodbCappedCollection } from "./mongodb-capped-collection.ts";
import { MongodbChangeReader } from "./mongodb-change-reader.ts";
import { MongodbChangeStreamSource } from "./mongodb-change-stream.ts";
import type { MongodbCollection, MongodbDatabase, MongodbWriteOptions } from "./mongodb-client.ts";
import type { MongodbIds } from "./mongodb-ids.ts";
import { RemoteFeed } from "./remote-feed.ts";

export type MongodbFeedKind = "change stream" | "capped collection";

export interface MongodbFeedSetting {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  readonly ids: MongodbIds;
  readonly clock: Clock;
  readonly feed: MongodbFeedKind | "auto";
  /** Of the sessions. */
  readonly writeOptions: MongodbWriteOptions;
}

export class MongodbFeed {
  /** Where messages are written; unused with a change stream. */
  readonly messages: MongodbCappedCollection;
  readonly #setting: MongodbFeedSetting;
  readonly #reader: MongodbChangeReader;
  #kind: MongodbFeedKind | undefined;
  #asked: Promise<MongodbFeedKind> | undefined;
  #remote: RemoteFeed | undefined;

  constructor(setting: MongodbFeedSetting) {
    const { database, collection, ids, clock, feed, writeOptions } = setting;
    this.#setting = setting;
    this.messages = new MongodbCappedCollection(database, collection, writeOptions, clock);
    this.#reader = new MongodbChangeReader(ids, clock);
    if (feed !== "auto") this.#kind = feed;
  }

  get traits(): FeedTraits | undefined {
    return this.#kind && { kind: this.#kind, complete: this.#kind === "change stream" };
  }

  async kind(): Promise<MongodbFeedKind> {
    if (this.#kind) return this.#kind;
    this.#asked ??= this.#ask();
    return this.#asked;
  }

  async listen(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe> {
    const { collection, clock } = this.#setting;
    const kind = await this.kind();
    this.#remote ??= new RemoteFeed(
      kind === "change stream"
        ? new MongodbChangeStreamSource(collection, this.#reader, clock)
        : this.messages,
      clock,
    );
    return this.#remote.listen(listener, options);
  }

  async close(): Promise<void> {
    this.messages.stop();
    this.#reader.stop();
    await this.#remote?.close();
  }

  async #ask(): Promise<MongodbFeedKind> {
    try {
      const { setName, msg } = await this.#setting.database.command({ hello: 1 });
      this.#kind = setName || msg === "isdbgrid" ? "change stream" : "capped collection";
      return this.#kind;
    } finally {
      this.#asked = undefined;
    }
  }
}
