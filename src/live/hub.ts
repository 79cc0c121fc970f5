import type { Clock } from "../base/clock.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { sameFields } from "../data/fields.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type {
  Revision,
  SessionChange,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
} from "../session-store.ts";
import { type Birth, Ends } from "./ends.ts";
import { Entries } from "./entries.ts";
import type { FeedState } from "./feed.ts";
import { type GuardedStore, guardedStore } from "./guarded-store.ts";
import { type End, LiveEntry, type Moment, type Observer } from "./live-entry.ts";
import { OwnWrites } from "./own-writes.ts";
import { Reads } from "./reads.ts";
import { Revalidation } from "./revalidation.ts";

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
  readonly #entries = new Entries(() => this.mark());
  readonly #reads: Reads;
  readonly #revalidation: Revalidation;
  readonly #ends: Ends;
  readonly #ownWrites: OwnWrites;

  constructor(options: HubOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.clock = clock;
    this.store = guardedStore(store, clock, options.storeTimeoutMs);
    this.#ends = new Ends(clock);
    this.#ownWrites = new OwnWrites(clock);
    this.#reads = new Reads({
      store: this.store,
      moment: () => this.#moment(),
      answered: (entry, snapshot, began) => this.#answered(entry, snapshot, began),
      overtaken: (entry) => void this.#revalidation.revalidate(entry),
    });
    this.#revalidation = new Revalidation({
      ...options,
      entries: this.#entries,
      reads: this.#reads,
      mark: () => this.mark(),
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
    this.#ownWrites.clear();
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

  /** A session of this id is made now, and not stored yet; for `hasEnded`. */
  birth(sid: string): Birth {
    return this.#ends.birth(sid);
  }

  /** Whether the session has ended here, after its birth, or after `since` was marked, if that is given. */
  hasEnded(key: SessionKey, since: Birth | number = 0): boolean {
    return this.#ends.has(key, since);
  }

  /** The session if it is live on this node, by any of its public ids. */
  livePublic(publicId: string): LiveEntry | undefined {
    return this.#entries.ofPublicId(publicId);
  }

  live(key: SessionKey): LiveEntry | undefined {
    return this.#entries.get(key);
  }

  /**
   * Registers `observer`; `load` next, and `release` in the end. An entry that has ended is left alone. With `seen`, a
   * version that was loaded before, the store is asked soon unless somebody does so first.
   */
  observe(session: SessionKey | LiveEntry, observer: Observer, seen?: Snapshot): LiveEntry {
    const entry = session instanceof LiveEntry ? session : this.#entries.ensure(session);
    if (entry.isEnded) return entry;
    entry.observers.add(observer);
    if (seen && entry.state.phase === "unread") {
      entry.see(seen);
      this.#revalidation.soon(entry);
    }
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

  /** Reads the store, and brings the session up to date where it is live here. For requests, which always read. */
  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#orOnceStored(key, () => this.readNow(key));
  }

  /** As `read`, within the session's lock. */
  readNow(key: SessionKey): Promise<StoredSession | null> {
    return this.#reads.read(key, this.live(key));
  }

  /** The current snapshot from the store, read from now on; null if the session is over. */
  load(entry: LiveEntry): Promise<Snapshot | null> {
    return this.#orOnceStored(entry.key, () => this.#reads.loadAfterwards(entry));
  }

  /** As `load`, but what is being read at this moment is known to be out of date. */
  reload(entry: LiveEntry): Promise<Snapshot | null> {
    entry.outdate(this.mark());
    return this.#reads.load(entry);
  }

  /**
   * A session is not there: it may be that this node is just storing it. A page connects as soon as it has the headers of
   * the response, and with them the cookie; `express-session` sends them before the save is done.
   */
  async #orOnceStored<T>(key: SessionKey, read: () => Promise<T | null>): Promise<T | null> {
    const wasHeld = this.lock.isHeld(key.sid);
    const found = await read();
    if (found !== null || !(wasHeld || this.lock.isHeld(key.sid))) return found;
    await this.written(key);
    return read();
  }

  /** Resolves when what this node is writing to the session has been written, or has failed; undefined if it writes nothing. */
  written({ sid }: SessionKey): Promise<void> | undefined {
    return this.lock.isHeld(sid) ? this.lock.run(sid, async () => {}) : undefined;
  }

  #moment(): Moment {
    return { mark: this.mark(), at: this.clock.now() };
  }

  #answered(entry: LiveEntry, snapshot: Snapshot | null, began: Moment): boolean {
    if (entry.idle) return true; // nobody holds it any more
    if (entry.takes(began.mark)) {
      if (snapshot) this.#adopt(entry, snapshot, began, began.mark);
      else if (entry.known) this.#gone(entry, entry.known);
      else return entry.isCurrent(began.mark); // it has not ended: it is not stored, or not yet
    }
    return entry.isEnded || entry.holdsSince(began.mark);
  }

  /** Makes `snapshot` the session's current one and tells the observers if the data differ. */
  #adopt(entry: LiveEntry, snapshot: Snapshot, began: Moment, until: number): void {
    const isFirst = entry.snapshot === undefined;
    const previous = entry.adopt(snapshot, began, until);
    this.#revalidation.seen(entry, snapshot.expiresAt);
    if (!previous) return;
    const isSame = sameFields(previous.fields, snapshot.fields);
    // Handles of requests may each have seen another version before the first.
    if (isSame && !isFirst) return;
    for (const observer of [...entry.observers]) this.tell(() => observer.changed?.(snapshot, previous));
    if (!isSame) this.tell(() => this.#options.events.changed(entry.key, snapshot));
  }

  /** Whether the session's snapshot may still be served; one that is too old ends here, as `unverified`. */
  isServable(entry: LiveEntry): boolean {
    return this.#revalidation.isServable(entry);
  }

  /**
   * Runs a write of this node, in the session's lock, under a token by which the feed names it. When this resolves, the live
   * session is what was written, or newer: where the entry can't tell which of two versions that is, it is read. It can
   * where the version that it holds is the one that was `replaced`, and the feed would tell of any other in between.
   */
  async write(
    key: SessionKey,
    replaced: Revision | undefined,
    run: (token: string) => Promise<Snapshot | null>,
  ): Promise<Snapshot | null> {
    const began = this.#moment();
    const token = this.#ownWrites.begin();
    try {
      const snapshot = await run(token);
      const entry = this.live(key);
      if (!snapshot || !entry) return snapshot;
      const follows = entry.snapshot !== undefined && entry.snapshot.revision === replaced;
      if (entry.takes(began.mark) || (follows && this.feed === "whole"))
        this.#adopt(entry, snapshot, began, this.mark());
      else await this.#revalidation.changed(entry);
      return snapshot;
    } catch (error) {
      this.#ownWrites.failed(token);
      const entry = this.live(key);
      if (entry) this.#revalidation.unknown(entry);
      throw error;
    }
  }

  /** Tells the application of a change of a session that nobody observes here. */
  announceChange(key: SessionKey, snapshot: Snapshot): void {
    if (!this.live(key)) this.tell(() => this.#options.events.changed(key, snapshot));
  }

  /** Ends the session in the store and here; false if it was not stored any more. */
  async end(
    key: SessionKey,
    reason: StoredEndReason,
    settled?: Promise<void>,
    isNewId?: boolean,
  ): Promise<boolean> {
    const end: End = settled ? { reason, settled } : { reason };
    return this.lock.run(key.sid, async () => {
      const entry = this.live(key);
      if (entry) entry.ending = end;
      try {
        const existed = await this.store.destroy(key, reason, isNewId);
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
  finish(entry: LiveEntry, end: End, existed = entry.known !== undefined): void {
    if (entry.isEnded) return;
    const told = end.reason === "unverified" ? end : (entry.ending ?? end);
    const announced = existed || entry.known !== undefined;
    entry.finish(told);
    if (told.reason !== "unverified") this.#ends.add(entry.key); // the stored session may live on
    this.#forget(entry);
    for (const observer of [...entry.observers]) this.tell(() => observer.ended?.(told));
    if (announced) this.tell(() => this.#options.events.ended(entry.key, told));
  }

  /** The life of the stored session was extended, by a touch that began at the mark `began`. */
  extended(entry: LiveEntry, expiresAt: number, began: number): void {
    if (entry.extend(expiresAt, began)) this.#revalidation.seen(entry, expiresAt);
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

  /** The store has it no more. */
  #gone(entry: LiveEntry, { expiresAt }: Snapshot): void {
    const overdue = expiresAt <= this.clock.now() + expiryToleranceMs;
    this.finish(entry, { reason: overdue ? "expired" : "destroyed" });
  }

  #hear(change: SessionChange): void {
    const entry = this.#entries.named(change);
    if (!entry) return;
    // An id that has ended here was given again: the message may be late, and of the session before.
    const isKnownEnd = change.kind === "ended" && this.hasEnded(entry.key);
    if (isKnownEnd) void this.#revalidation.changed(entry);
    else if (change.kind === "ended") this.finish(entry, { reason: change.reason });
    else if (!this.#ownWrites.knows(change.write)) void this.#revalidation.changed(entry);
  }
}
