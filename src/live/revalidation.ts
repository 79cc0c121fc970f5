import type { Clock } from "../base/clock.ts";
import { errorText, isUnreadable, SocketSessionError } from "../base/errors.ts";
import type { SessionChange, SessionStore } from "../session-store.ts";
import { Checks } from "./checks.ts";
import type { Entries } from "./entries.ts";
import { Feed, type FeedState } from "./feed.ts";
import { feedError } from "./guarded-store.ts";
import type { LiveEntry } from "./live-entry.ts";
import type { Reads } from "./reads.ts";

export interface RevalidationOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  readonly staleMs: number;
  readonly entries: Entries;
  readonly reads: Reads;
  /** The hub's: a mark in the order of events. */
  readonly mark: () => number;
  /** The feed told of a change. */
  readonly changed: (change: SessionChange) => void;
  /** The session can't be served any longer, as nobody can say whether it still is. */
  readonly unverified: (entry: LiveEntry) => void;
  readonly report: (error: unknown) => void;
}

/** A feed proves three times within `revalidateIntervalMs` that it lives, so that a dead one is found within it. */
const heartbeatsPerRevalidation = 3;
const longestHeartbeatMs = 10_000;

/**
 * Keeps the snapshots of the live sessions current: by the feed; by a read at each deadline; by regular reads where the
 * feed is cut, or there is none, or it does not tell of all. And knows how old a snapshot is.
 */
export class Revalidation {
  readonly #options: RevalidationOptions;
  readonly #checks: Checks;
  readonly #feed: Feed;
  /** What keeps sessions from being read since it was last reported: however many they are, and however often it fails. */
  #failure: string | undefined;
  readonly #unreadable = new WeakSet<LiveEntry>();
  #isClosed = false;

  constructor(options: RevalidationOptions) {
    const { store, clock, revalidateIntervalMs } = options;
    this.#options = options;
    this.#checks = new Checks({
      ...options,
      feedSuffices: () => this.#feed.state === "whole" && this.#isComplete,
      freshAsOf: (entry) => this.#freshAsOf(entry),
      verify: (entry) => void this.revalidate(entry),
    });
    const heartbeatMs = Math.min(revalidateIntervalMs / heartbeatsPerRevalidation, longestHeartbeatMs);
    this.#feed = new Feed(
      { store, clock, heartbeatMs },
      {
        changed: options.changed,
        gap: (asOf) => this.#gap(asOf),
        failed: (error) => options.report(feedError(store.name, revalidateIntervalMs, error)),
        catchUp: () => this.#catchUp(),
        whole: () => this.#recheckAll(),
      },
    );
  }

  /** Subscribes to the store's feed. Until it is there, and where there is none, sessions are asked for regularly. */
  start(): void {
    this.#feed.start();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#checks.clear();
    await this.#feed.close();
  }

  get feed(): FeedState {
    return this.#feed.state;
  }

  /** How many sessions have a check ahead. */
  get scheduled(): number {
    return this.#checks.size;
  }

  /** The session is known to be stored until `expiresAt`. */
  seen(entry: LiveEntry, expiresAt: number): void {
    this.#checks.seen(entry, expiresAt);
  }

  /** A write of this node may have been made, or not. */
  unknown(entry: LiveEntry): void {
    this.#doubt(entry, Math.min(this.#freshAsOf(entry), this.#options.clock.now()));
    this.#checks.failed(entry);
  }

  /** The session is shown as it was loaded once: it is asked for soon. */
  soon(entry: LiveEntry): void {
    this.#checks.soon(entry);
  }

  forget(entry: LiveEntry): void {
    this.#checks.delete(entry);
  }

  /**
   * Whether the session's snapshot may still be served. One that is older than `staleMs` may not: a logout may have gone
   * unheard, as on a node that was frozen. Its sockets are closed then, and come back to be looked at.
   */
  isServable(entry: LiveEntry): boolean {
    if (!entry.isEnded && entry.snapshot && this.#checks.staleAt(entry) <= this.#options.clock.now())
      this.#options.unverified(entry);
    return !entry.isEnded;
  }

  /** Another writer changed the session, or may have: it is read again, and is as old as it was until then. */
  changed(entry: LiveEntry): Promise<boolean> {
    this.#doubt(entry, Math.min(this.#freshAsOf(entry), this.#options.clock.now()));
    return this.revalidate(entry);
  }

  /** Reads the session again; false if the store could not be asked. What nobody can verify is not served for ever. */
  async revalidate(entry: LiveEntry): Promise<boolean> {
    const { clock, reads, revalidateIntervalMs, unverified } = this.#options;
    if (this.#isClosed || !this.isServable(entry)) return true;
    this.#checks.asking(entry);
    try {
      await reads.loadInBatch(entry);
      this.#failure = undefined;
      this.#unreadable.delete(entry);
      return true;
    } catch (error) {
      if (this.#isClosed) return true; // and the store with it
      this.#reportOnce(entry, error);
      const deadline = entry.snapshot?.expiresAt ?? Number.POSITIVE_INFINITY;
      if (deadline + revalidateIntervalMs <= clock.now()) unverified(entry);
      else if (this.isServable(entry)) this.#checks.failed(entry);
      return entry.isEnded || isUnreadable(error); // then the store has answered
    }
  }

  /** Reads every live session again, in batches. */
  async revalidateAll(): Promise<void> {
    await Promise.all([...this.#options.entries].map((entry) => this.changed(entry)));
  }

  /**
   * Reads the sessions that a gap in the feed has left in doubt; false if not one of them could be read, as the store is
   * down. Those that alone can't be read stay in doubt, and are asked for by themselves.
   */
  async #catchUp(): Promise<boolean> {
    const doubtful = [...this.#options.entries].filter(({ isDoubtful }) => isDoubtful);
    const outcomes = await Promise.all(doubtful.map((entry) => this.revalidate(entry)));
    return outcomes.length === 0 || outcomes.some(Boolean);
  }

  /** It was current at `asOf`, and may have changed since. */
  #doubt(entry: LiveEntry, asOf: number): void {
    if (!entry.isDoubtful) entry.confirm(asOf);
    entry.isDoubtful = true;
    entry.outdate(this.#options.mark());
  }

  /** Again when the reason changes, or when it has healed since. One that can't be read says nothing of the others. */
  #reportOnce(entry: LiveEntry, error: unknown): void {
    const isOfEntry = isUnreadable(error);
    const failure = isOfEntry ? undefined : reasonOf(error);
    const isKnown = isOfEntry ? this.#unreadable.has(entry) : failure === this.#failure;
    if (isOfEntry) this.#unreadable.add(entry);
    else this.#failure = failure;
    if (!isKnown) this.#options.report(error);
  }

  #gap(asOf: number): void {
    const until = this.#isComplete ? Math.min(asOf, this.#options.clock.now()) : Number.NEGATIVE_INFINITY;
    for (const entry of this.#options.entries) this.#doubt(entry, until); // the feed vouched until then
    this.#recheckAll();
  }

  #recheckAll(): void {
    for (const entry of this.#options.entries)
      if (entry.snapshot && entry.failures === 0) this.#checks.seen(entry, entry.snapshot.expiresAt);
  }

  /** Whether the feed tells of every write: one that does not can't vouch for anything. */
  get #isComplete(): boolean {
    return this.#options.store.feed?.complete !== false;
  }

  /** The time as of which the snapshot is known to be current: by the feed while it is whole, else by the last read. */
  #freshAsOf(entry: LiveEntry): number {
    const now = this.#options.clock.now();
    if (entry.confirmedAt > now) entry.confirmedAt = now; // the clock was set back: it counts from now on
    const isVouchedFor = this.#isComplete && !entry.isDoubtful;
    return isVouchedFor ? Math.max(entry.confirmedAt, this.#feed.asOf) : entry.confirmedAt;
  }
}

/** Without the names of sessions, which the message holds. */
function reasonOf(error: unknown): string {
  if (!(error instanceof SocketSessionError)) return errorText(error);
  return error.cause === undefined ? error.code : `${error.code} ${errorText(error.cause)}`;
}
