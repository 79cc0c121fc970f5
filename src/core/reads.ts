import type { Clock } from "../clock.ts";
import type { GuardedStore } from "./guarded-store.ts";
import type { LiveEntry } from "./live-entry.ts";
import type { SessionKey, StoredSession } from "./session-store.ts";
import { type Snapshot, snapshotOf } from "./snapshot.ts";

export interface ReadsOptions {
  readonly store: GuardedStore;
  readonly clock: Clock;
  /** The session was stored like this; the read began at `asOf`. */
  readonly found: (entry: LiveEntry, snapshot: Snapshot, asOf: number) => void;
  readonly gone: (entry: LiveEntry) => void;
}

type Read = (key: SessionKey) => Promise<StoredSession | null>;

/** How many sessions are read in one round trip. */
const mostPerBatch = 100;

/**
 * Reads of sessions that may be live: what overtakes a read, an end, a change or a write of this node, wins over it.
 */
export class Reads {
  readonly #options: ReadsOptions;
  #batch: { readonly key: SessionKey; readonly settle: (result: Promise<StoredSession | null>) => void }[] =
    [];

  constructor(options: ReadsOptions) {
    this.#options = options;
  }

  /** Reads the store for a request; `entry`, where the session is live, profits. */
  async read(key: SessionKey, entry: LiveEntry | undefined): Promise<StoredSession | null> {
    const { store, clock, found, gone } = this.#options;
    if (!entry) return store.read(key);
    const asOf = clock.now();
    const { invalidations, adoptions } = entry;
    const stored = await store.read(key);
    const overtaken = entry.invalidations !== invalidations || entry.adoptions !== adoptions;
    if (stored && !overtaken) found(entry, snapshotOf(structuredClone(stored)), asOf);
    if (!stored && !overtaken && !entry.isEnded) gone(entry);
    return entry.isEnded ? null : stored;
  }

  /** The current snapshot from the store, null if the session is over. Shared by all who ask at the same time. */
  load(entry: LiveEntry, read: Read = this.#options.store.read): Promise<Snapshot | null> {
    entry.reading ??= this.#readUntilCurrent(entry, read).finally(() => {
      entry.reading = undefined;
    });
    return entry.reading;
  }

  /** As `load`, but what is being read at this moment is known to be out of date. */
  reload(entry: LiveEntry): Promise<Snapshot | null> {
    entry.invalidations++;
    return this.load(entry);
  }

  /** As `reload`, in one round trip with the others that are revalidated in the same turn. */
  revalidate(entry: LiveEntry): Promise<Snapshot | null> {
    entry.invalidations++;
    return this.load(entry, (key) => this.#readInBatch(key));
  }

  async #readUntilCurrent(entry: LiveEntry, read: Read): Promise<Snapshot | null> {
    const { clock, found, gone } = this.#options;
    for (;;) {
      const asOf = clock.now();
      const { invalidations, adoptions } = entry;
      const stored = await read(entry.key);
      if (entry.isEnded) return null;
      const current = entry.invalidations === invalidations;
      if (entry.adoptions === adoptions) {
        if (stored) found(entry, snapshotOf(stored), asOf);
        else if (current) {
          gone(entry);
          return null;
        }
      }
      if (current) return entry.snapshot ?? null;
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
    const reading = this.#options.store.readMany(batch.map(({ key }) => key));
    for (const [index, { settle }] of batch.entries()) {
      settle(reading.then((all) => all[index] ?? null));
    }
  }
}
