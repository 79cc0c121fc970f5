/** What has to be written besides, so that a change stream tells of ends what it could not tell by itself. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { attempt, type MongodbCollection, type MongodbWriteOptions } from "./client.ts";

const clearedMark = "~cleared~";
/** The `_id` of a mark that `markCleared` makes, and of no session. */
export const clearedForm = new RegExp(`^${clearedMark}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);

/** How long what has ended waits to be removed together with others. */
const gatheringMs = 1_000;

/**
 * Removes sessions that bear the mark of their end, many at once and a little later, so that a logout is one command.
 * They are over already; where this fails, the server removes them in time.
 */
export class EndedRemoval {
  readonly #collection: MongodbCollection;
  readonly #options: MongodbWriteOptions;
  readonly #clock: Clock;
  readonly #ids = new Set<string>();
  #cancel: (() => void) | undefined;

  constructor(collection: MongodbCollection, options: MongodbWriteOptions, clock: Clock) {
    this.#collection = collection;
    this.#options = options;
    this.#clock = clock;
  }

  add(_id: string): void {
    this.#ids.add(_id);
    this.#cancel ??= this.#clock.after(gatheringMs, () => void this.flush());
  }

  /** Removes what has been gathered; at the close of the store, too. Never rejects. */
  async flush(): Promise<void> {
    this.#cancel?.();
    this.#cancel = undefined;
    const ids = [...this.#ids];
    this.#ids.clear();
    if (ids.length === 0) return;
    const ended = { _id: { $in: ids }, "socketSession.ended": { $exists: true } };
    const remove = () => this.#collection.deleteMany(ended, this.#options);
    await attempt(this.#clock, remove, "removing sessions that have ended");
  }
}

/** After all sessions were removed: an event is told of each, but only one after the last says that this was all. */
export async function markCleared(
  collection: MongodbCollection,
  empty: unknown,
  options: MongodbWriteOptions,
  clock: Clock,
): Promise<void> {
  const _id = clearedMark + randomUUID();
  const mark = { _id, session: empty, expires: new Date(0), socketSession: { cleared: true } };
  await collection.insertOne(mark, options);
  await attempt(clock, () => collection.deleteOne({ _id }, options), "removing the mark of a clearing");
}
