/**
 * Maintains a collection, of sessions or of tickets: creates the index that removes expired documents, as `connect-mongo`
 * does, or removes them from this process; and creates the index of users, once there is a user. A failure here never fails
 * an operation.
 */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import {
  attempt,
  errorCode,
  type MongodbCollection,
  type MongodbIndexOptions,
  mongodbErrors,
} from "./client.ts";

const debug = createDebug("socket-session:store");

export interface MongodbUpkeepOptions {
  readonly autoRemove: "native" | "interval" | "disabled";
  readonly removeIntervalMs: number;
  readonly clock: Clock;
}

export class MongodbUpkeep {
  readonly #collection: MongodbCollection;
  readonly #options: MongodbUpkeepOptions;
  readonly #pending = new Set<Promise<void>>();
  #hasBegun = false;
  #indexesUsers = false;
  #cancelRemoval: (() => void) | undefined;
  #closed = false;

  constructor(collection: MongodbCollection, options: MongodbUpkeepOptions) {
    this.#collection = collection;
    this.#options = options;
  }

  /** To be called by every operation. The first call starts the upkeep in the background. */
  begin(): void {
    if (this.#hasBegun || this.#closed) return;
    this.#hasBegun = true;
    const { autoRemove } = this.#options;
    if (autoRemove === "interval") this.#scheduleRemoval();
    if (autoRemove !== "native") return;
    this.#index({ expires: 1 }, { background: true, expireAfterSeconds: 0 }, (error) => {
      if (errorCode(error) === undefined)
        this.#hasBegun = false; // no answer: the next operation tries again
      else this.#scheduleRemoval();
    });
  }

  /** To be called by every operation that indexes a session by its user. */
  indexUsers(): void {
    if (this.#indexesUsers || this.#closed) return;
    this.#indexesUsers = true;
    this.#index({ "socketSession.users": 1 }, { background: true, sparse: true }, (error) => {
      if (errorCode(error) === undefined) this.#indexesUsers = false;
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#cancelRemoval?.();
    await Promise.all(this.#pending);
  }

  #index(keys: Record<string, 1>, options: MongodbIndexOptions, failed: (error: unknown) => void): void {
    const create = () =>
      this.#collection.createIndex(keys, options).catch((error: unknown) => {
        failed(error);
        report(Object.keys(keys).join(), this.#collection.collectionName, error);
      });
    const pending = attempt(this.#options.clock, create, "creating an index").finally(() => {
      this.#pending.delete(pending);
    });
    this.#pending.add(pending);
  }

  #scheduleRemoval(): void {
    if (this.#closed) return;
    const { clock, removeIntervalMs } = this.#options;
    this.#cancelRemoval = clock.after(removeIntervalMs, () => {
      const expired = { expires: { $lt: new Date(clock.now()) } };
      this.#collection
        .deleteMany(expired)
        .catch((error: unknown) => debug("removing what has expired failed: %s", errorText(error)));
      this.#scheduleRemoval();
    });
  }
}

const unsupported: readonly (number | undefined)[] = [
  mongodbErrors.commandNotSupported,
  mongodbErrors.notImplemented,
];

function report(field: string, collection: string, error: unknown): void {
  debug("the index on %s could not be created: %s", field, errorText(error));
  if (errorCode(error) === undefined || unsupported.includes(errorCode(error))) return;
  process.emitWarning(
    `Expected to create the index on ${field} of the collection ${collection}, but the database refused: ${errorText(error)}. ` +
      "Let the user of the connection create indexes, or create it yourself as the page on MongoDB says. " +
      "Sessions and tickets work without it; until then this process removes expired ones.",
    { type: "SocketSessionWarning", code: "SOCKET_SESSION_MONGODB_INDEX" },
  );
}
