import { isUnreadable, SocketSessionError } from "../base/errors.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";
import type { GuardedStore } from "./guarded-store.ts";

type Outcome = () => Promise<StoredSession | null>;

interface Waiting {
  readonly key: SessionKey;
  readonly settle: (result: Promise<StoredSession | null>) => void;
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

  read(key: SessionKey): Promise<StoredSession | null> {
    return new Promise((resolve) => {
      if (this.#waiting.length === 0) setImmediate(() => this.#send());
      this.#waiting.push({ key, settle: resolve });
    });
  }

  #send(): void {
    const batch = this.#waiting.splice(0, maxPerBatch);
    if (this.#waiting.length > 0) setImmediate(() => this.#send());
    const keys = batch.map(({ key }) => key);
    const outcomes = this.#store.readMany(keys).then(
      (all) =>
        all.map(
          (stored): Outcome =>
            async () =>
              stored,
        ),
      (error: unknown) => this.#readSingly(keys, error),
    );
    for (const [index, { settle }] of batch.entries()) settle(outcomes.then((all) => all[index]?.() ?? null));
  }

  /**
   * A session that can't be read must not fail the others of its batch. If two in a row fail before any succeeds, the
   * store counts as down; the next batch begins with another session.
   */
  async #readSingly(keys: readonly SessionKey[], error: unknown): Promise<Outcome[]> {
    const outcomes = new Map<SessionKey, Outcome>();
    const first = this.#firstOfBatch++ % keys.length;
    let failures = keys.length === 1 || isTimeout(error) ? maxFailures : 0;
    for (const key of [...keys.slice(first), ...keys.slice(0, first)]) {
      const outcome = failures < maxFailures ? this.#store.read(key) : Promise.reject(error);
      await outcome.then(
        () => {
          failures = Number.NEGATIVE_INFINITY;
        },
        (failure: unknown) => {
          if (!isUnreadable(failure)) failures++;
        },
      );
      outcomes.set(key, () => outcome);
    }
    return keys.map((key) => outcomes.get(key) ?? (() => Promise.reject(error)));
  }
}

function isTimeout(error: unknown): boolean {
  return error instanceof SocketSessionError && error.code === "STORE_TIMEOUT";
}
