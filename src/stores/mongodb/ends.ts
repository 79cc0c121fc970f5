/** Extra writes by which a change stream reports the reasons of ends, `clear()`, and the notes of nodes. */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import {
  attempt,
  errorCode,
  type MongodbCollection,
  type MongodbWriteOptions,
  mongodbErrors,
} from "./client.ts";

const clearedMark = "~cleared~";
/** The `_id` of a mark. No session has such an `_id`, and releases without notes pass it over. */
export const clearedForm = new RegExp(`^${clearedMark}[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`);

/** The `_id` of the one document that is written again for each note. */
const notesId = `${clearedMark}00000000-0000-0000-0000-000000000000`;

/** How long ended sessions are gathered before they are removed together. */
const gatheringMs = 1_000;

/**
 * Removes sessions marked as ended, in batches and a little later, so that a logout is one command. They have ended
 * already; if the removal fails, the server expires them.
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

  /** Removes the gathered sessions; also called when the store closes. Never rejects. */
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

/** To be called after all sessions were removed: each removal has an event, and the mark's event says it was the last. */
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

/**
 * Publishes a note: an event of the stream holds what replaces the document. The document has expired from the start, so
 * that no reader takes it for a session, and the server may remove it.
 */
export async function writeNote(
  collection: MongodbCollection,
  note: string,
  empty: unknown,
  options: MongodbWriteOptions,
): Promise<void> {
  const document = { _id: notesId, session: empty, expires: new Date(0), socketSession: { note } };
  const write = () => collection.replaceOne({ _id: notesId }, document, { upsert: true, ...options });
  await write().catch((error: unknown) => {
    if (errorCode(error) !== mongodbErrors.duplicateKey) throw error;
    return write(); // another node has just inserted the document
  });
}
