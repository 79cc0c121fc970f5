import { unverifiedError } from "../base/errors.ts";
import type { KeyedLock } from "../base/keyed-lock.ts";
import { type Snapshot, snapshotFrom, snapshotOf } from "../data/snapshot.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";
import { BatchedReads } from "./batched-reads.ts";
import type { Entries } from "./entries.ts";
import type { GuardedStore } from "./guarded-store.ts";
import type { LiveEntry, Moment } from "./live-entry.ts";

export interface ReadsOptions {
  readonly store: GuardedStore;
  readonly entries: Entries;
  /** The lock that this node's writes to a session take. */
  readonly lock: KeyedLock;
  readonly moment: () => Moment;
  /**
   * Applies the answer to a read that began at `began`. False if the entry knows of a later change and holds no version
   * that includes it: the session must be read again.
   */
  readonly answered: (entry: LiveEntry, snapshot: Snapshot | null, began: Moment) => boolean;
  /** The session must be read again. */
  readonly overtaken: (entry: LiveEntry) => void;
}

type Read = (key: SessionKey) => Promise<StoredSession | null>;

/** How many times an overtaken read is repeated before its caller gets an answer. */
const maxAttempts = 5;

/** Reads of sessions that may be live. `LiveEntry` decides which answers count. */
export class Reads {
  readonly #options: ReadsOptions;
  readonly #inBatch: Read;
  /** The read under way for each entry, shared by all callers. */
  readonly #underWay = new Map<LiveEntry, Promise<Snapshot | null>>();

  constructor(options: ReadsOptions) {
    this.#options = options;
    const batches = new BatchedReads(options.store);
    this.#inBatch = (key) => batches.read(key);
  }

  /** Reads the store, and updates the live session, if there is one. For requests, which always read. */
  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#orOnceStored(key, () => this.readNow(key));
  }

  /** As `read`; the caller holds the session's lock. */
  readNow(key: SessionKey): Promise<StoredSession | null> {
    const { store, entries } = this.#options;
    const entry = entries.get(key);
    return entry ? this.#readLive(entry) : store.read(key);
  }

  async #readLive(entry: LiveEntry): Promise<StoredSession | null> {
    const { store, moment, answered, overtaken } = this.#options;
    const began = moment();
    const stored = await store.read(entry.key);
    const isLast = answered(entry, stored && snapshotOf(stored), began);
    if (!isLast && !stored) overtaken(entry);
    return entry.isEnded && !entry.isUnverified ? null : stored;
  }

  /**
   * The current snapshot, by a read that begins from now on: a read already under way may lack an end that another node
   * knows. Null if the session is over. Rejects if the session becomes unverified.
   */
  load(entry: LiveEntry, read: Read = this.#options.store.read): Promise<Snapshot | null> {
    return this.#orOnceStored(entry.key, async () => {
      const isUnderWay = this.#underWay.has(entry);
      const found = await this.#join(entry, read);
      return isUnderWay ? this.#join(entry, read) : found;
    });
  }

  /** As `load`, in one round trip with the others of this turn of the event loop, where the store has it. */
  loadTogether(entry: LiveEntry): Promise<Snapshot | null> {
    return this.#options.store.readsTogether ? this.load(entry, this.#inBatch) : this.load(entry);
  }

  /** The current snapshot, by the read under way or by a batched one. Otherwise as `load`. */
  loadInBatch(entry: LiveEntry): Promise<Snapshot | null> {
    return this.#join(entry, this.#inBatch);
  }

  /**
   * A session that is not found may be one that this node is just storing. `express-session` sends the headers, with
   * the cookie, before the save is done, and the page connects as soon as it has them.
   */
  async #orOnceStored<T>(key: SessionKey, read: () => Promise<T | null>): Promise<T | null> {
    const { lock } = this.#options;
    const wasHeld = lock.isHeld(key.sid);
    const found = await read();
    if (found !== null || !(wasHeld || lock.isHeld(key.sid))) return found;
    await lock.settled(key.sid);
    return read();
  }

  #join(entry: LiveEntry, read: Read): Promise<Snapshot | null> {
    const underWay = this.#underWay.get(entry) ?? this.#readUntilCurrent(entry, read);
    this.#underWay.set(entry, underWay);
    return underWay;
  }

  async #readUntilCurrent(entry: LiveEntry, read: Read): Promise<Snapshot | null> {
    const { moment, answered, overtaken } = this.#options;
    try {
      for (let attempt = 1; ; attempt++) {
        const began = moment();
        const stored = await read(entry.key);
        const isLast = answered(entry, stored && snapshotFrom(stored), began);
        if (entry.isUnverified) throw unverifiedError(entry.key.publicId);
        if (isLast) return entry.snapshot ?? null;
        // Changes that come faster than reads must not block the caller: the next read continues in the background.
        if (attempt >= maxAttempts && entry.snapshot) {
          queueMicrotask(() => overtaken(entry));
          return entry.snapshot;
        }
      }
    } finally {
      this.#underWay.delete(entry); // in the same turn as the answer: a later caller starts a read of its own
    }
  }
}
