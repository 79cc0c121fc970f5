import { isUnreadable, SocketSessionError } from "../base/errors.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";
import type { GuardedStore } from "./guarded-store.ts";

type Found = StoredSession | null;

interface Waiting {
  readonly key: SessionKey;
  readonly settle: (found: Found | Promise<Found>) => void;
}

/** How many sessions one round trip reads. */
const maxPerBatch = 100;
/** After this many failures in a row the store counts as down. */
const maxFailures = 2;

/** Collects the reads of one turn of the event loop into one round trip; more than it takes wait for the next turn. */
export class BatchedReads {
  readonly #store: GuardedStore;
  #waiting: Waiting[] = [];
  #firstOfBatch = 0;

  constructor(store: GuardedStore) {
    this.#store = store;
  }

  read(key: SessionKey): Promise<Found> {
    return new Promise((settle) => {
      if (this.#waiting.length === 0) setImmediate(() => void this.#send());
      this.#waiting.push({ key, settle });
    });
  }

  async #send(): Promise<void> {
    const batch = this.#waiting.splice(0, maxPerBatch);
    if (this.#waiting.length > 0) setImmediate(() => void this.#send());
    try {
      const all = await this.#store.readMany(batch.map(({ key }) => key));
      for (const [index, { settle }] of batch.entries()) settle(all[index] ?? null);
    } catch (error) {
      await this.#readSingly(batch, error);
    }
  }

  /**
   * A session that can't be read must not fail the others of its batch. If two in a row fail before any succeeds, the
   * store counts as down; the next batch begins with another session.
   */
  async #readSingly(batch: readonly Waiting[], error: unknown): Promise<void> {
    const first = this.#firstOfBatch++ % batch.length;
    let failures = batch.length === 1 || isTimeout(error) ? maxFailures : 0;
    for (const { key, settle } of [...batch.slice(first), ...batch.slice(0, first)]) {
      const found = failures < maxFailures ? this.#store.read(key) : Promise.reject(error);
      settle(found);
      await found.then(
        () => {
          failures = Number.NEGATIVE_INFINITY;
        },
        (failure: unknown) => {
          if (!isUnreadable(failure)) failures++;
        },
      );
    }
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof SocketSessionError && error.code === "STORE_TIMEOUT";
}
