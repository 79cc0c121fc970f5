import type { Clock } from "../base/clock.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { sameFields } from "../data/fields.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type { SessionChange, SessionKey, StoredEndReason } from "../session-store.ts";
import type { Actors } from "./actors.ts";
import { answering } from "./answers.ts";
import { Closings } from "./closings.ts";
import { Ends } from "./ends.ts";
import { Entries } from "./entries.ts";
import { Freshness } from "./freshness.ts";
import { type GuardedStore, guardedStore } from "./guarded-store.ts";
import type { HubOptions } from "./hub-options.ts";
import { limitedLife } from "./limited-life.ts";
import { type End, LiveEntry, type Moment, type Observer } from "./live-entry.ts";
import { Nodes } from "./nodes.ts";
import { OwnWrites } from "./own-writes.ts";
import { Reads } from "./reads.ts";

/** A session that disappears this close to its deadline has expired: some stores count in seconds. */
const expiryToleranceMs = 1_000;

/**
 * Knows which sessions are live on this node, and the snapshot of each: those with an observer (a socket, a request's
 * handle) or a transaction under way. The hub registers the observer before it reads the store, and so receives an end in
 * between; a change that overtakes a read makes it read again. At a deadline it reads the store before it ends anything:
 * another node's touch sends no message.
 */
export class Hub {
  readonly store: GuardedStore;
  /**
   * Spans read-merge-write of one session, never application code. Locks are taken in this order: the queue of updates
   * (their functions may save the session), the queue of saves, this lock.
   */
  readonly lock = new KeyedLock();
  readonly clock: Clock;
  readonly actors: Actors;
  readonly entries = new Entries(() => this.mark());
  readonly ends: Ends;
  readonly freshness: Freshness;
  readonly writes: OwnWrites;
  readonly reads: Reads;
  readonly nodes: Nodes;
  readonly #closings: Closings;
  readonly #options: HubOptions;
  #marks = 0;

  constructor(options: HubOptions) {
    const { store, clock } = options;
    this.#options = options;
    this.clock = clock;
    this.actors = options.actors;
    this.store = limitedLife(guardedStore(store, clock, options.storeTimeoutMs), clock, options.absoluteMs);
    this.ends = new Ends(clock, () => this.mark());
    this.#closings = new Closings(clock);
    this.reads = new Reads({
      store: this.store,
      entries: this.entries,
      lock: this.lock,
      moment: () => this.#moment(),
      answered: (entry, snapshot, began) => this.#answered(entry, snapshot, began),
      overtaken: (entry) => void this.freshness.revalidate(entry),
    });
    this.freshness = new Freshness({
      ...options,
      entries: this.entries,
      reads: this.reads,
      mark: () => this.mark(),
      changed: (change) => void this.#receive(change),
      told: (note) => this.nodes.told(note),
      feedWhole: () => this.nodes.feedWhole(),
      feedBecame: (state) => this.callListener(() => options.events.feed(state)),
      unverified: (entry) => this.#finish(entry, { reason: "unverified" }),
      report: (error) => this.report(error),
    });
    const receive = (change: SessionChange) => this.#receive(change);
    this.nodes = new Nodes({
      ...options,
      tell: this.store.tell,
      isWhole: () => this.freshness.feed.state === "whole",
      answer: answering({ entries: this.entries, closings: this.#closings, receive }),
    });
    this.writes = new OwnWrites({
      clock,
      entries: this.entries,
      freshness: this.freshness,
      moment: () => this.#moment(),
      written: (entry, snapshot, began) => this.#adopt(entry, snapshot, began, this.mark()),
    });
  }

  async close(): Promise<void> {
    this.nodes.close();
    this.#closings.clear();
    this.entries.clear();
    this.ends.clear();
    this.writes.clear();
    await this.freshness.close();
  }

  get counts(): { live: number; timers: number; locks: number; ends: number } {
    return {
      live: this.entries.size,
      timers: this.freshness.scheduled,
      locks: this.lock.size,
      ends: this.ends.size,
    };
  }

  /** The next mark in the order of events of this process. */
  mark(): number {
    return ++this.#marks;
  }

  /**
   * Registers `observer`. The caller calls `reads.load` next, and `release` in the end. Does nothing to an ended entry.
   * `seen`: a version loaded before; the store is then read soon, unless another caller reads it first.
   */
  observe(session: SessionKey | LiveEntry, observer: Observer, seen?: Snapshot): LiveEntry {
    const entry = session instanceof LiveEntry ? session : this.entries.ensure(session);
    if (entry.isEnded) return entry;
    entry.observe(observer);
    if (seen && entry.state.phase === "unread") {
      entry.see(seen);
      this.freshness.soon(entry);
    }
    return entry;
  }

  release(entry: LiveEntry, observer: Observer): void {
    entry.release(observer);
    this.#closings.released(observer);
    this.#dropIfIdle(entry);
  }

  /** Keeps the session live while `fn` runs. */
  async hold<T>(key: SessionKey, fn: (entry: LiveEntry) => Promise<T>): Promise<T> {
    const entry = this.entries.ensure(key);
    entry.hold();
    try {
      return await fn(entry);
    } finally {
      entry.letGo();
      this.#dropIfIdle(entry);
    }
  }

  /** Reports a version that this node has stored, see `HubEvents.stored`. Those who observe the session know of it. */
  announce(key: SessionKey, snapshot: Snapshot, previous?: Snapshot): void {
    const { events } = this.#options;
    this.callListener(() => events.stored(key, snapshot, previous));
    if (previous && !this.entries.get(key)) this.callListener(() => events.changed(key, snapshot));
  }

  /** Ends the session in the store and here; false if it was no longer stored. */
  async end(
    key: SessionKey,
    reason: StoredEndReason,
    { isNewId, ...more }: Omit<End, "reason"> & { readonly isNewId?: boolean | undefined } = {},
  ): Promise<boolean> {
    const learned: End = { reason, ...more };
    const end: End = { ...learned, by: this.actors.current };
    return this.lock.run(key.sid, async () => {
      const entry = this.entries.get(key);
      entry?.expectEnd(end);
      try {
        const existed = await this.store.destroy(key, reason, isNewId, more.message);
        this.ends.add(key, reason);
        const live = this.entries.get(key); // it may have become live, or the feed may have reported the end first
        live?.expectEnd(undefined); // the store's answer says whose end it is
        if (live) this.#finish(live, existed ? end : learned, existed);
        else if (existed && !entry?.isEnded)
          this.callListener(() => this.#options.events.ended(key, end, entry?.known));
        return existed;
      } finally {
        entry?.expectEnd(undefined);
      }
    });
  }

  /** A touch that began at the mark `began` extended the stored session. A read that overlapped it may lack that. */
  extended(entry: LiveEntry, expiresAt: number, began: number): void {
    const before = entry.snapshot;
    const extended = entry.extend(expiresAt, began);
    if (!before) return;
    if (extended) {
      this.freshness.seen(entry, expiresAt);
      this.#show(entry, extended, before);
    } else if (expiresAt > before.expiresAt) void this.freshness.revalidate(entry);
  }

  /** Reports to the application's `error` listeners. */
  readonly report = (error: unknown): void => this.#options.events.failed(error);

  /** Calls a listener. What it throws, or rejects with, is reported, and never stops the caller. */
  callListener(listener: () => unknown): void {
    isolate(listener, this.report);
  }

  #moment(): Moment {
    return { mark: this.mark(), at: this.clock.now() };
  }

  /** See `ReadsOptions.answered`. */
  #answered(entry: LiveEntry, snapshot: Snapshot | null, began: Moment): boolean {
    if (entry.isIdle) return true;
    if (entry.takes(began.mark)) {
      if (snapshot) this.#adopt(entry, snapshot, began, began.mark);
      else if (entry.known) this.#gone(entry, entry.known);
      else return entry.isCurrent(began.mark); // not an end: the session is not stored, or not yet
    }
    return entry.isEnded || entry.holdsSince(began.mark);
  }

  /** Makes `snapshot` the session's current one, and calls the observers if the data or the deadline differ. */
  #adopt(entry: LiveEntry, snapshot: Snapshot, began: Moment, until: number): void {
    const isFirst = entry.snapshot === undefined;
    const previous = entry.adopt(snapshot, began, until);
    this.freshness.seen(entry, snapshot.expiresAt);
    if (!previous) return;
    const isSame = sameFields(previous.fields, snapshot.fields);
    // Before the first adopted version, handles of requests may each show a different one.
    if (!isSame || isFirst || previous.expiresAt !== snapshot.expiresAt)
      this.#show(entry, snapshot, previous);
    if (!isSame) this.callListener(() => this.#options.events.changed(entry.key, snapshot));
  }

  #show(entry: LiveEntry, snapshot: Snapshot, previous: Snapshot): void {
    for (const observer of entry.observers) this.callListener(() => observer.changed?.(snapshot, previous));
  }

  /** The store no longer has the session. */
  #gone(entry: LiveEntry, { expiresAt }: Snapshot): void {
    const overdue = expiresAt <= this.clock.now() + expiryToleranceMs;
    this.#finish(entry, { reason: overdue ? "expired" : "destroyed" });
  }

  /** Changes the state first, then calls the observers, then the application, unless the session was never stored. */
  #finish(entry: LiveEntry, end: End, existed = false): void {
    if (entry.isEnded) return;
    const isKnown = existed || entry.known !== undefined;
    const actual = entry.finish(end);
    if (!entry.isUnverified) this.ends.add(entry.key, actual.reason);
    this.#forget(entry);
    const { observers } = entry;
    this.#closings.begin(entry, observers);
    for (const observer of observers) this.callListener(() => observer.ended?.(actual));
    if (isKnown) this.callListener(() => this.#options.events.ended(entry.key, actual, entry.known));
  }

  /** If the session has to be read, the promise resolves when it has been. */
  #receive(change: SessionChange): Promise<unknown> | undefined {
    const entry = this.entries.named(change);
    if (!entry) return undefined;
    // An id that ended here was given again: the message may be late, and about the earlier session.
    const isKnownEnd = change.kind === "ended" && this.ends.has(entry.key);
    if (isKnownEnd) return this.freshness.changed(entry);
    if (change.kind === "ended") this.#finish(entry, { reason: change.reason, message: change.message });
    else if (!this.writes.knows(change.write)) return this.freshness.changed(entry);
    return undefined;
  }

  #dropIfIdle(entry: LiveEntry): void {
    if (entry.isIdle && entry.isUnstored) entry.finish({ reason: "destroyed" });
    if (entry.isIdle) this.#forget(entry);
  }

  #forget(entry: LiveEntry): void {
    this.freshness.forget(entry);
    this.entries.remove(entry);
  }
}
