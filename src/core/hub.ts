import { randomUUID } from "node:crypto";
import type { Clock } from "../clock.ts";
import { Ends } from "./ends.ts";
import { Entries } from "./entries.ts";
import { ExpiringMap } from "./expiring-map.ts";
import type { FeedState } from "./feed.ts";
import { sameFields } from "./fields.ts";
import { type GuardedStore, guardedStore } from "./guarded-store.ts";
import { isolate } from "./isolate.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { type End, LiveEntry, type Observer } from "./live-entry.ts";
import { Reads } from "./reads.ts";
import { Revalidation } from "./revalidation.ts";
import type { EndReason, SessionChange, SessionKey, SessionStore, StoredSession } from "./session-store.ts";
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

/** How long the feed may take to tell of a write whose outcome is not known. */
const unknownMs = 600_000;
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
  /** What the tokens of this node's writes begin with. */
  readonly #node = randomUUID();
  #writes = 0;
  /** By token: writes whose outcome is not known, as they timed out. If they were made, the feed tells, and that is news. */
  readonly #unknown: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(options: HubOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.clock = clock;
    this.store = guardedStore(store, clock, options.storeTimeoutMs);
    this.#ends = new Ends(clock);
    this.#unknown = new ExpiringMap(clock, { maxEntries: 10_000 });
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
    this.#unknown.clear();
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
   * Runs a write of this node, in the session's lock, under a token by which the feed tells it. What it resolves to is the
   * current snapshot from then on; what another writer did, or a read found, meanwhile may be newer: then it is read again.
   */
  async write(key: SessionKey, run: (token: string) => Promise<Snapshot | null>): Promise<Snapshot | null> {
    const entry = this.live(key);
    const asOf = this.clock.now();
    const { adoptions, invalidations } = entry ?? {};
    const token = `${this.#node}.${++this.#writes}`;
    try {
      const snapshot = await run(token);
      const live = this.live(key); // it may have come to life meanwhile, and read what was before
      if (!snapshot || !live) return snapshot;
      const isOvertaken = live.adoptions !== adoptions || live.invalidations !== invalidations;
      live.isDoubtful = false; // it was written on top of what is stored
      this.adopt(live, snapshot, asOf);
      if (isOvertaken) this.#revalidation.changed(live);
      return snapshot;
    } catch (error) {
      this.#unknown.set(token, { expiresAt: this.clock.now() + unknownMs });
      const live = this.live(key);
      if (live) this.#revalidation.failed(live); // it is asked for soon
      throw error;
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
    else if (!this.#isOwn(change.write)) this.#revalidation.changed(entry);
  }

  /** Whether a change that the feed told is one of this node's own, which was adopted when it was made. */
  #isOwn(write: string | undefined): boolean {
    return write?.startsWith(this.#node) === true && !this.#unknown.delete(write);
  }
}
