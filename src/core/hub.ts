import type { Clock } from "../clock.ts";
import { Ends } from "./ends.ts";
import { Entries } from "./entries.ts";
import type { FeedState } from "./feed.ts";
import { sameFields } from "./fields.ts";
import { type GuardedStore, guardedStore } from "./guarded-store.ts";
import { isolate } from "./isolate.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { type End, LiveEntry, type Observer } from "./live-entry.ts";
import { Reads } from "./reads.ts";
import { Revalidation } from "./revalidation.ts";
import type {
  EndReason,
  Revision,
  SessionChange,
  SessionKey,
  SessionStore,
  StoredSession,
} from "./session-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the hub tells the application's own listeners. */
interface HubEvents {
  changed(key: SessionKey, snapshot: Snapshot): void;
  ended(key: SessionKey, end: End): void;
  failed(error: unknown): void;
}

export interface HubOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly storeTimeoutMs: number;
  readonly events: HubEvents;
}

/** A session that is gone this close to its deadline has expired: some stores count in seconds. */
const expiryToleranceMs = 1_000;
/**
 * Which sessions are live on this node, and what each holds.
 *
 * A session is live while it has an observer (a socket, a request's handle) or a transaction under way. Observers are
 * registered first and the store read afterwards, so an end that happens in between is heard; news that overtakes a
 * read makes it read again. At a deadline the store is asked before anything ends, as another node's touch moves it
 * without a message.
 */
export class Hub {
  readonly store: GuardedStore;
  /** Spans read-merge-write of one session, never application code. */
  readonly lock = new KeyedLock();
  readonly clock: Clock;
  readonly #options: HubOptions;
  readonly #entries = new Entries();
  readonly #reads: Reads;
  readonly #revalidation: Revalidation;
  readonly #ends: Ends;

  constructor(options: HubOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.clock = clock;
    this.store = guardedStore(store, clock, options.storeTimeoutMs);
    this.#ends = new Ends(clock);
    this.#reads = new Reads({
      store: this.store,
      clock,
      found: (entry, snapshot, asOf) => this.adopt(entry, snapshot, asOf),
      gone: (entry) => this.#gone(entry),
      overtaken: (entry) => void this.#revalidation.revalidate(entry),
    });
    this.#revalidation = new Revalidation({
      ...options,
      entries: this.#entries,
      reads: this.#reads,
      changed: (change) => this.#hear(change),
      unverified: (entry) => this.finish(entry, { reason: "unverified" }),
      report: (error) => this.report(error),
    });
  }

  /** Subscribes to the store's feed. */
  start(): void {
    this.#revalidation.start();
  }

  async close(): Promise<void> {
    this.#entries.clear();
    this.#ends.clear();
    await this.#revalidation.close();
  }

  get feed(): FeedState {
    return this.#revalidation.feed;
  }

  get counts(): { live: number; timers: number; locks: number; ends: number } {
    return {
      live: this.#entries.size,
      timers: this.#revalidation.scheduled,
      locks: this.lock.size,
      ends: this.#ends.size,
    };
  }

  /** A mark in the order of things in this process, for `hasEnded`. */
  mark(): number {
    return this.#ends.mark();
  }

  /** Whether the session has ended here, after `since` was marked if that is given. */
  hasEnded(key: SessionKey, since = 0): boolean {
    return this.#ends.has(key, since);
  }

  /** The session if it is live on this node, by any of its public ids. */
  livePublic(publicId: string): LiveEntry | undefined {
    return this.#entries.ofPublicId(publicId);
  }

  live(key: SessionKey): LiveEntry | undefined {
    return this.#entries.get(key);
  }

  /** Registers `observer`; `load` next, and `release` in the end. An entry that has ended is left alone. */
  observe(session: SessionKey | LiveEntry, observer: Observer): LiveEntry {
    const entry = session instanceof LiveEntry ? session : this.#entries.ensure(session);
    if (!entry.isEnded) entry.observers.add(observer);
    return entry;
  }

  release(entry: LiveEntry, observer: Observer): void {
    entry.observers.delete(observer);
    this.#dropIfIdle(entry);
  }

  /** Keeps the session live while `fn` runs. */
  async hold<T>(key: SessionKey, fn: (entry: LiveEntry) => Promise<T>): Promise<T> {
    const entry = this.#entries.ensure(key);
    entry.holds++;
    try {
      return await fn(entry);
    } finally {
      entry.holds--;
      this.#dropIfIdle(entry);
    }
  }

  /** Reads the store; whoever holds the session live here profits. For requests, which always read. */
  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#reads.read(key, this.live(key));
  }

  /** The current snapshot from the store, null if the session is over. Shared by all who ask at the same time. */
  load(entry: LiveEntry): Promise<Snapshot | null> {
    return this.#reads.load(entry);
  }

  /** As `load`, but what is being read at this moment is known to be out of date. */
  reload(entry: LiveEntry): Promise<Snapshot | null> {
    return this.#reads.reload(entry);
  }

  /** Makes `snapshot`, current as of then, the session's current one and tells the observers if the data differ. */
  adopt(entry: LiveEntry, snapshot: Snapshot, asOf: number): void {
    if (entry.isEnded) return;
    const previous = entry.adopt(snapshot, asOf);
    this.#revalidation.seen(entry, snapshot.expiresAt);
    if (!previous || sameFields(previous.fields, snapshot.fields)) return;
    for (const observer of [...entry.observers]) this.tell(() => observer.changed?.(snapshot, previous));
    this.tell(() => this.#options.events.changed(entry.key, snapshot));
  }

  /** Whether the session's snapshot may still be served; one that is too old ends here, as `unverified`. */
  isServable(entry: LiveEntry): boolean {
    return this.#revalidation.isServable(entry);
  }

  /**
   * Runs a write of this node, in the session's lock. What it resolves to is the current snapshot from then on; news of
   * the feed that come meanwhile may be its own echo, and are looked at when it is done. `replaced`: the revision that it
   * replaces, if that is so; the feed will tell of it.
   */
  async write(
    key: SessionKey,
    replaced: Revision | undefined,
    run: () => Promise<Snapshot | null>,
  ): Promise<Snapshot | null> {
    const entry = this.live(key);
    const asOf = this.clock.now();
    const { feedGeneration } = this.#revalidation;
    const { adoptions } = entry ?? {};
    if (entry) entry.writing++;
    try {
      const snapshot = await run();
      const live = this.live(key); // it may have come to life meanwhile, and read what was before
      if (!snapshot || !live) return snapshot;
      const isOvertaken = live.adoptions !== adoptions;
      // An echo that does not come would swallow another writer's change: so only one that is sure to.
      const isEchoed = replaced !== undefined && replaced !== snapshot.revision && live === entry;
      if (isEchoed && feedGeneration !== undefined && feedGeneration === this.#revalidation.feedGeneration)
        live.echoes.expect(snapshot.revision);
      live.isDoubtful = false; // it was written on top of what is stored
      this.adopt(live, snapshot, asOf);
      if (isOvertaken && feedGeneration === undefined) void this.#revalidation.revalidate(live);
      return snapshot;
    } catch (error) {
      if (entry) this.#revalidation.failed(entry); // nobody knows whether it was written
      throw error;
    } finally {
      if (entry && --entry.writing === 0) {
        const isNews = entry.heard.splice(0).filter((revision) => this.#isNews(entry, revision)).length > 0;
        if (isNews && !entry.isEnded) this.#revalidation.changed(entry);
      }
    }
  }

  /** Tells the application of a change of a session that nobody observes here. */
  announceChange(key: SessionKey, snapshot: Snapshot): void {
    if (!this.live(key)) this.tell(() => this.#options.events.changed(key, snapshot));
  }

  /** Ends the session in the store and here; false if it was not stored any more. */
  async end(key: SessionKey, reason: EndReason, settled?: Promise<void>): Promise<boolean> {
    const end: End = settled ? { reason, settled } : { reason };
    return this.lock.run(key.sid, async () => {
      const entry = this.live(key);
      if (entry) entry.ending = end;
      try {
        const existed = await this.store.destroy(key, reason);
        this.#ends.add(key);
        const live = this.live(key); // it may have come to life, or have ended by the echo, meanwhile
        if (live) this.finish(live, end, existed);
        else if (existed && !entry?.isEnded) this.tell(() => this.#options.events.ended(key, end));
        return existed;
      } finally {
        if (entry) entry.ending = undefined;
      }
    });
  }

  /** The session is over: state first, then the observers, then the application, unless it has never been stored. */
  finish(entry: LiveEntry, end: End, existed = entry.snapshot !== undefined): void {
    if (entry.isEnded) return;
    const told = entry.ending ?? end;
    const announced = existed || entry.snapshot !== undefined;
    entry.finish(told);
    if (told.reason !== "unverified") this.#ends.add(entry.key); // the stored session may live on
    this.#forget(entry);
    for (const observer of [...entry.observers]) this.tell(() => observer.ended?.(told));
    if (announced) this.tell(() => this.#options.events.ended(entry.key, told));
  }

  /** The life of the stored session was extended. */
  extended(entry: LiveEntry, expiresAt: number): void {
    if (entry.extend(expiresAt)) this.#revalidation.seen(entry, expiresAt);
  }

  /** Reads every live session again. */
  async revalidateAll(): Promise<void> {
    await this.#revalidation.revalidateAll();
  }

  /** Tells the application's `error` listeners. */
  report(error: unknown): void {
    this.#options.events.failed(error);
  }

  /** Calls a listener; what it throws, or rejects with, is reported and stops nobody else. */
  tell(listener: () => unknown): void {
    isolate(listener, (error) => this.report(error));
  }

  #dropIfIdle(entry: LiveEntry): void {
    if (entry.idle && !entry.isEnded) this.#forget(entry);
  }

  #forget(entry: LiveEntry): void {
    this.#revalidation.forget(entry);
    this.#entries.remove(entry);
  }

  /** The store has it no more. One that was never seen has not ended: whoever asked is told that there is none. */
  #gone(entry: LiveEntry): void {
    const { snapshot } = entry;
    if (!snapshot) return;
    const overdue = snapshot.expiresAt <= this.clock.now() + expiryToleranceMs;
    this.finish(entry, { reason: overdue ? "expired" : "destroyed" });
  }

  #hear(change: SessionChange): void {
    const entry = this.#entries.named(change);
    if (!entry) return;
    if (change.kind === "ended") this.finish(entry, { reason: change.reason });
    else if (entry.writing > 0) entry.heard.push(change.revision);
    else if (this.#isNews(entry, change.revision)) this.#revalidation.changed(entry);
  }

  /** Whether a change that the feed told is another one than those of this node, which it tells as well. */
  #isNews(entry: LiveEntry, revision: Revision | undefined): boolean {
    if (revision === undefined) return true;
    if (entry.echoes.take(revision)) return false;
    // What is being read may be older than this, although the snapshot is of the same content.
    return entry.reading !== undefined || revision !== entry.snapshot?.revision;
  }
}
