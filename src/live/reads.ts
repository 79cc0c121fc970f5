import { isUnreadable, SocketSessionError, unverifiedError } from "../base/errors.ts";
import { type Snapshot, snapshotOf } from "../data/snapshot.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";
import type { GuardedStore } from "./guarded-store.ts";
import type { LiveEntry, Moment } from "./live-entry.ts";

export interface ReadsOptions {
  readonly store: GuardedStore;
  readonly moment: () => Moment;
  /**
   * What the store answered to a read that began then. False if it may be without what has happened since, and without
   * what is held: then the session is to be read again.
   */
  readonly answered: (entry: LiveEntry, snapshot: Snapshot | null, began: Moment) => boolean;
  /** A read was answered that others have overtaken: the session is to be read again. */
  readonly overtaken: (entry: LiveEntry) => void;
}

type Read = (key: SessionKey) => Promise<StoredSession | null>;

type Outcome = () => Promise<StoredSession | null>;

/** How many sessions are read in one round trip. */
const mostPerBatch = 100;
/** How often a read that was overtaken is done again before its caller has an answer. */
const mostAttempts = 5;
/** In a row; then the store counts as down. */
const mostFailures = 2;

/** Reads of sessions that may be live. What an answer is worth, the entry decides: see `LiveEntry`. */
export class Reads {
  readonly #options: ReadsOptions;
  #firstOfBatch = 0;
  #batch: { readonly key: SessionKey; readonly settle: (result: Promise<StoredSession | null>) => void }[] =
    [];

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  /** Reads the store for a request; `entry`, where the session is live, profits. */
  async read(key: SessionKey, entry: LiveEntry | undefined): Promise<StoredSession | null> {
    const { store, moment, answered, overtaken } = this.#options;
    if (!entry) return store.read(key);
    const began = moment();
    const stored = await store.read(key);
    const isLast = answered(entry, stored && snapshotOf(structuredClone(stored)), began);
    if (!isLast && !stored) overtaken(entry);
    return entry.isEnded && !entry.isUnverified ? null : stored;
  }

  /**
   * The current snapshot from the store, null if the session is over. Shared by all who ask at the same time. Rejects
   * where the session becomes unverified meanwhile.
   */
  load(entry: LiveEntry, read: Read = this.#options.store.read): Promise<Snapshot | null> {
    entry.reading ??= this.#readUntilCurrent(entry, read);
    return entry.reading;
  }

  /** As `load`, but by a read that begins from now on: what is under way may be without an end that is known elsewhere. */
  async loadAfterwards(entry: LiveEntry): Promise<Snapshot | null> {
    const isUnderWay = entry.reading !== undefined;
    const found = await this.load(entry);
    return isUnderWay ? this.load(entry) : found;
  }

  /** As `load`, in one round trip with the others that are read in the same turn. */
  loadInBatch(entry: LiveEntry): Promise<Snapshot | null> {
    return this.load(entry, (key) => this.#readInBatch(key));
  }

  async #readUntilCurrent(entry: LiveEntry, read: Read): Promise<Snapshot | null> {
    const { moment, answered, overtaken } = this.#options;
    try {
      for (let attempt = 1; ; attempt++) {
        const began = moment();
        const stored = await read(entry.key);
        const isLast = answered(entry, stored && snapshotOf(stored), began);
        if (entry.isUnverified) throw unverifiedError(entry.key.publicId);
        if (isLast) return entry.snapshot ?? null;
        // Changes that come faster than reads hold nobody up for ever: the next read goes on behind this one.
        if (attempt >= mostAttempts && entry.snapshot) {
          queueMicrotask(() => overtaken(entry));
          return entry.snapshot;
        }
      }
    } finally {
      entry.reading = undefined; // in the same turn: who asks from now on asks anew
    }
  }

  #readInBatch(key: SessionKey): Promise<StoredSession | null> {
    return new Promise((resolve) => {
      if (this.#batch.length === 0) queueMicrotask(() => this.#sendBatch());
      this.#batch.push({ key, settle: resolve });
      if (this.#batch.length >= mostPerBatch) this.#sendBatch();
    });
  }

  #sendBatch(): void {
    const batch = this.#batch;
    this.#batch = [];
    if (batch.length === 0) return;
    const keys = batch.map(({ key }) => key);
    const outcomes = this.#options.store.readMany(keys).then(
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
   * One session that can't be read must not fail the others of its batch. Where two in a row can't, before any other
   * could, it is the store; the next time another is the first.
   */
  async #readSingly(keys: readonly SessionKey[], error: unknown): Promise<Outcome[]> {
    const outcomes = new Map<SessionKey, Outcome>();
    const first = this.#firstOfBatch++ % keys.length;
    let failures = keys.length === 1 || isTimeout(error) ? mostFailures : 0;
    for (const key of [...keys.slice(first), ...keys.slice(0, first)]) {
      const outcome = failures < mostFailures ? this.#options.store.read(key) : Promise.reject(error);
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
