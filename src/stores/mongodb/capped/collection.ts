/**
 * The change feed of a standalone server, which has no change streams: messages in a capped collection, read through a
 * tailable cursor. A write comes first and its message second, so they are not one atomic step.
 *
 * - If the server ends the cursor, it is reopened and continues after the last message that it delivered. If that message
 *   has been overwritten, messages may have been missed.
 * - A message that can't be written is delivered to this process, and retried for a while.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import { property } from "../../../base/shapes.ts";
import type { FeedOptions, SessionChange } from "../../../session-store.ts";
import type { FeedConnection, FeedSink, FeedSource } from "../../common/feed-source.ts";
import { changeMessage, clearedMessage, noteMessage } from "../../common/messages.ts";
import {
  attempt,
  errorCode,
  type MongodbCollection,
  type MongodbDatabase,
  type MongodbDocument,
  type MongodbWriteOptions,
  mongodbErrors,
} from "../client.ts";
import { plainValues } from "../place.ts";
import { MongodbTail } from "./tail.ts";

/** About ten thousand messages: a node that falls further behind reads everything again. */
const sizeBytes = 4 * 1024 * 1024;
const firstRetryMs = 100;
const maxRetryMs = 5_000;
const maxAttempts = 20;

export type PublicChange = SessionChange & { readonly publicIds: readonly string[] };

export class MongodbCappedCollection implements FeedSource {
  readonly silenceCure = "Is the database unreachable, or the capped collection of the changes gone?";
  readonly #database: MongodbDatabase;
  readonly #collection: MongodbCollection;
  readonly #writeOptions: MongodbWriteOptions;
  readonly #clock: Clock;
  readonly #retries = new Set<() => void>();
  #created: Promise<void> | undefined;
  #sink: FeedSink | undefined;
  #stopped = false;

  /**
   * Messages have the sessions' write concern. If a server restarted without an acknowledged message, cursors would
   * continue after the previous one and miss it.
   */
  constructor(
    database: MongodbDatabase,
    { collectionName, writeConcern }: MongodbCollection,
    writeOptions: MongodbWriteOptions,
    clock: Clock,
  ) {
    const options = { ...plainValues, ...(writeConcern && { writeConcern }) };
    this.#database = database;
    this.#collection = database.collection(`${collectionName}_changes`, options);
    this.#writeOptions = writeOptions;
    this.#clock = clock;
  }

  async open(sink: FeedSink, { heartbeatMs }: FeedOptions): Promise<FeedConnection> {
    const tail = new MongodbTail({
      collection: this.#collection,
      clock: this.#clock,
      heartbeatMs,
      isOrdinary: () => this.#isOrdinary(),
      mark: () => this.#mark(),
      tell: (document) => this.#receive(document, sink),
      missed: () => sink.missed(),
      down: (error) => sink.down(error),
    });
    await tail.open();
    this.#sink = sink;
    return tail;
  }

  async publish(textOf: (copy: number) => string): Promise<number> {
    await this.#insert({ message: textOf(0) });
    return 1;
  }

  /** Publishes a write of this process. Resolves even if the message can't be written: the write itself is done. */
  publishChange(change: PublicChange): Promise<void> {
    return this.#publish({ message: changeMessage(change) }, change);
  }

  /** Rejects if it can't be written. */
  async publishNote(note: string): Promise<void> {
    await this.#insert({ message: noteMessage(note) });
  }

  publishCleared(): Promise<void> {
    return this.#publish({ message: clearedMessage }, undefined);
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of this.#retries) cancel();
    this.#retries.clear();
  }

  async #publish(document: MongodbDocument, change: SessionChange | undefined): Promise<void> {
    const inserted = this.#insert(document);
    inserted.catch(() => {
      if (change) this.#sink?.changed(change);
      else this.#sink?.missed();
      this.#retry(document, 1);
    });
    await attempt(this.#clock, () => inserted, "publishing a change");
  }

  #retry(document: MongodbDocument, attempts: number): void {
    if (this.#stopped || attempts > maxAttempts) return;
    const cancel = this.#clock.after(Math.min(firstRetryMs * 2 ** attempts, maxRetryMs), () => {
      this.#retries.delete(cancel);
      this.#insert(document).catch(() => this.#retry(document, attempts + 1));
    });
    this.#retries.add(cancel);
  }

  /** A reader starts by creating the collection if it is missing: it may have been dropped. */
  #mark(): Promise<string> {
    this.#created = undefined;
    return this.#insert({});
  }

  async #isOrdinary(): Promise<boolean> {
    const filter = { name: this.#collection.collectionName };
    const reply = await this.#database.command({ listCollections: 1, filter });
    const batch = property(reply.cursor, "firstBatch");
    const [found]: unknown[] = Array.isArray(batch) ? batch : [];
    return found !== undefined && property(property(found, "options"), "capped") !== true;
  }

  /** Resolves to the `_id` of the message. */
  async #insert(document: MongodbDocument): Promise<string> {
    await this.#create();
    const _id = randomUUID();
    await this.#collection.insertOne({ _id, ...document }, this.#writeOptions);
    return _id;
  }

  /** Runs before the first message: an insert would create an ordinary collection. */
  async #create(): Promise<void> {
    this.#created ??= this.#database
      .createCollection(this.#collection.collectionName, { capped: true, size: sizeBytes, ...plainValues })
      .then(
        () => undefined,
        (error: unknown) => {
          if (errorCode(error) === mongodbErrors.namespaceExists) return;
          this.#created = undefined;
          throw error;
        },
      );
    await this.#created;
  }

  #receive({ message }: MongodbDocument, sink: FeedSink): void {
    if (typeof message === "string") sink.message(message); // otherwise it is a cursor's mark
  }
}
