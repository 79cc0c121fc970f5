/**
 * A tailable cursor on the capped collection of changes: delivers each document inserted after it was opened, once and in
 * order. A cursor can't start at the end, so it reads the collection from the beginning and skips the documents before a
 * mark of its own.
 */
import type { Clock } from "../../../base/clock.ts";
import { errorText, SocketSessionError } from "../../../base/errors.ts";
import { cureOf } from "../../../base/store-failures.ts";
import type { FeedConnection } from "../../common/feed-source.ts";
import {
  awaitTimeMs,
  closeCursor,
  type MongodbCollection,
  type MongodbCursor,
  type MongodbDocument,
} from "../client.ts";

export interface MongodbTailOptions {
  readonly collection: MongodbCollection;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  /** Whether the collection is an ordinary one. Rejects if that is unknown. */
  isOrdinary(): Promise<boolean>;
  /** Inserts a document without a message, and resolves to its `_id`. */
  mark(): Promise<string>;
  tell(document: MongodbDocument): void;
  /** Documents may have been overwritten before they were delivered. */
  missed(): void;
  down(error: unknown): void;
}

/** How many times in a row opening a cursor may fail before the feed is down. */
const maxOpenings = 3;

export class MongodbTail implements FeedConnection {
  readonly #options: MongodbTailOptions;
  #cursor: MongodbCursor | undefined;
  #closed = false;
  /** The `_id` of the last document that was delivered, or of the mark if none has been delivered since. */
  #last: unknown;
  /** While old documents are skipped: the mark at which new documents begin at the latest. */
  #mark: string | undefined;
  #openingsInVain = 0;
  #batchSize: number | undefined;

  constructor(options: MongodbTailOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    await this.#openCursor();
    this.#pull().catch((error: unknown) => {
      if (!this.#closed) this.#options.down(error);
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    if (this.#cursor) await closeCursor(this.#cursor, this.#options.clock);
  }

  async #openCursor(): Promise<void> {
    this.#mark = await this.#options.mark();
    this.#cursor = this.#options.collection.find(
      {},
      {
        readPreference: "primary",
        tailable: true,
        awaitData: true,
        maxAwaitTimeMS: awaitTimeMs(this.#options.heartbeatMs),
        ...(this.#batchSize === undefined ? {} : { batchSize: this.#batchSize }),
      },
    );
  }

  async #pull(): Promise<void> {
    while (!this.#closed) {
      const document = await this.#next();
      if (this.#closed) return;
      if (document) this.#take(document);
    }
  }

  /** The next document; undefined if there was none for a while, or if the cursor had to be reopened. */
  async #next(): Promise<MongodbDocument | undefined> {
    const cursor = this.#cursor;
    if (!cursor) return undefined;
    const { document, error } = await this.#ask(cursor);
    if (this.#closed || error === undefined) return document;
    if (this.#openingsInVain >= maxOpenings) throw await this.#failed(error);
    this.#openingsInVain += 1;
    await this.#openCursor();
    if (this.#closed) await this.close(); // while the cursor was being opened
    return undefined;
  }

  /** `error`: the cursor has failed. */
  async #ask(cursor: MongodbCursor): Promise<{ document?: MongodbDocument; error?: unknown }> {
    try {
      const document = await cursor.tryNext();
      if (document) return { document };
      if (!cursor.closed) return {};
    } catch (error) {
      return { error };
    }
    // FerretDB ends a cursor whose first batch holds the whole collection: request batches of one document.
    this.#batchSize = 1;
    return { error: new SocketSessionError("STORE_FAILED", "The cursor on the changes has ended.") };
  }

  async #failed(cause: unknown): Promise<SocketSessionError> {
    const { collectionName } = this.#options.collection;
    const expected = `mongodbStore() expects to follow the capped collection ${collectionName}`;
    const isOrdinary = await this.#options.isOrdinary().catch(() => false); // assumed not, if unknown
    const why = isOrdinary
      ? "there is an ordinary collection of that name. Drop it if it is of no other use, and a capped one is made; else " +
        "give another `collectionName`."
      : `its cursor failed ${maxOpenings + 1} times in a row: ${errorText(cause)}.${cureOf(cause)}`;
    return new SocketSessionError("STORE_FAILED", `${expected}; ${why}`, { cause });
  }

  #take(document: MongodbDocument): void {
    const { _id: id } = document;
    if (this.#mark === undefined) {
      this.#last = id;
      this.#options.tell(document);
    } else if (id === this.#mark || id === this.#last) {
      if (id === this.#mark && this.#last !== undefined) this.#options.missed();
      this.#mark = undefined;
      this.#last = id;
      this.#openingsInVain = 0;
    }
  }
}
