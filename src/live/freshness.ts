import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import { errorText, isUnreadable, SocketSessionError } from "../base/errors.ts";
import type { SessionChange, SessionStore } from "../session-store.ts";
import type { Entries } from "./entries.ts";
import { Feed } from "./feed.ts";
import { feedError } from "./guarded-store.ts";
import type { LiveEntry } from "./live-entry.ts";
import type { Reads } from "./reads.ts";

export interface FreshnessOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  /** From this age on a snapshot is no longer served. */
  readonly staleMs: number;
  readonly entries: Entries;
  readonly reads: Reads;
  /** The hub's next mark in the order of events. */
  readonly mark: () => number;
  /** The feed reported a change. */
  readonly changed: (change: SessionChange) => void;
  /** The feed delivered a note of a node. */
  readonly told: (note: string) => void;
  /** The feed is whole, at the start or after each gap. */
  readonly feedWhole: () => void;
  readonly feedBecame: (state: "whole" | "broken") => void;
  /** The store could not be read for too long: the session can no longer be served. */
  readonly unverified: (entry: LiveEntry) => void;
  readonly report: (error: unknown) => void;
}

/** Three beats within `revalidateIntervalMs`, so that a dead feed is detected within that time. */
const heartbeatsPerRevalidation = 3;
const maxHeartbeatMs = 10_000;
const firstRetryMs = 1_000;
/** Longer than most requests take: their handles are released with the response, and then cost no read. */
const soonMs = 100;

/**
 * Knows how old each live session's snapshot is, and when to read it next: when the feed reports a change; at its
 * deadline, as another node's touch moves that without a message; every `revalidateIntervalMs` if the feed is cut,
 * absent or incomplete; and less and less often after failures, until the snapshot is stale.
 */
export class Freshness {
  readonly feed: Feed;
  readonly #options: FreshnessOptions;
  readonly #nextReads: Deadlines<LiveEntry>;
  /** Failed or overdue reads in a row, for the back-off. */
  readonly #failures = new WeakMap<LiveEntry, number>();
  /** The last reported failure, until a read succeeds: one report, however many sessions fail. */
  #reported: string | undefined;
  readonly #unreadable = new WeakSet<LiveEntry>();
  #isClosed = false;

  constructor(options: FreshnessOptions) {
    const { store, clock, revalidateIntervalMs } = options;
    this.#options = options;
    this.#nextReads = new Deadlines(clock, (entry) => void this.revalidate(entry));
    this.feed = new Feed({
      store,
      clock,
      heartbeatMs: Math.min(revalidateIntervalMs / heartbeatsPerRevalidation, maxHeartbeatMs),
      changed: options.changed,
      told: options.told,
      gap: (asOf) => this.#gap(asOf),
      catchUp: () => this.#catchUp(),
      whole: () => {
        this.#reschedule();
        options.feedWhole();
      },
      became: options.feedBecame,
      failed: (error) => options.report(feedError(store.name, revalidateIntervalMs, error)),
    });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#nextReads.clear();
    await this.feed.close();
  }

  /** How many sessions have a read scheduled. */
  get scheduled(): number {
    return this.#nextReads.size;
  }

  /** The session is known to be stored until `expiresAt`. If that has passed, it is read less and less often. */
  seen(entry: LiveEntry, expiresAt: number): void {
    const now = this.#options.clock.now();
    // A doubtful session keeps its planned read: a later deadline says nothing about its data.
    const planned = entry.isDoubtful ? this.#nextReads.at(entry) : undefined;
    if (planned === undefined && expiresAt > now) this.#failures.delete(entry);
    else if (planned === undefined) this.#countFailure(entry);
    const deadline = expiresAt > now ? expiresAt : this.#retryAt(entry);
    this.#schedule(
      entry,
      Math.min(deadline, this.#revalidationAt(entry), planned ?? Number.POSITIVE_INFINITY),
    );
  }

  /** The session is shown as a request loaded it, so it is read soon. */
  soon(entry: LiveEntry): void {
    this.#schedule(entry, this.#options.clock.now() + soonMs);
  }

  /**
   * A write of this node may or may not have happened, so the session is read soon. A guest's first write is another case:
   * a session that is not found may be stored later, or have ended elsewhere, so the guest has to come back.
   */
  unknown(entry: LiveEntry): void {
    this.#doubt(entry);
    if (entry.isUnstored) this.#options.unverified(entry);
    else this.#failed(entry);
  }

  forget(entry: LiveEntry): void {
    this.#nextReads.delete(entry);
  }

  /**
   * Whether the session's snapshot may still be served. After `staleMs` it may not: this node may have missed a logout,
   * as a frozen process does. The session then ends here, and clients come back and are checked.
   */
  isServable(entry: LiveEntry): boolean {
    if (this.#staleAt(entry) <= this.#options.clock.now()) this.#options.unverified(entry);
    return !entry.isEnded;
  }

  /** Another writer changed the session, or may have. It is read again; until then its snapshot ages. */
  changed(entry: LiveEntry): Promise<boolean> {
    this.#doubt(entry);
    return this.revalidate(entry);
  }

  /** Reads the session again; false if the store did not answer. */
  async revalidate(entry: LiveEntry): Promise<boolean> {
    if (this.#isClosed || !this.isServable(entry)) return true;
    // If no answer comes, the snapshot becomes stale.
    const staleAt = this.#staleAt(entry);
    if (Number.isFinite(staleAt)) this.#schedule(entry, staleAt);
    try {
      await this.#options.reads.loadInBatch(entry);
      this.#reported = undefined;
      this.#unreadable.delete(entry);
      return true;
    } catch (error) {
      if (this.#isClosed) return true; // the store is closed as well
      this.#reportOnce(entry, error);
      if (this.#isLongOver(entry)) this.#options.unverified(entry);
      else if (this.isServable(entry)) this.#failed(entry);
      return entry.isEnded || isUnreadable(error); // if unreadable, the store has answered
    }
  }

  /** Reads every live session again, in batches. */
  async revalidateAll(): Promise<void> {
    await Promise.all([...this.#options.entries].map((entry) => this.changed(entry)));
  }

  /** The feed lost changes after `asOf`, or may have. */
  #gap(asOf: number): void {
    for (const entry of this.#options.entries)
      this.#doubt(entry, this.#isComplete ? asOf : Number.NEGATIVE_INFINITY);
    this.#reschedule();
  }

  /**
   * Reads the doubtful sessions after a gap. False if none could be read: the store is down. A single session that
   * can't be read stays doubtful, and is retried on its own.
   */
  async #catchUp(): Promise<boolean> {
    const doubtful = [...this.#options.entries].filter(({ isDoubtful }) => isDoubtful);
    const outcomes = await Promise.all(doubtful.map((entry) => this.revalidate(entry)));
    return outcomes.length === 0 || outcomes.some(Boolean);
  }

  #reschedule(): void {
    for (const entry of this.#options.entries)
      if (entry.snapshot && !this.#failures.has(entry)) this.seen(entry, entry.snapshot.expiresAt);
  }

  #schedule(entry: LiveEntry, at: number): void {
    if (!entry.isIdle && !entry.isEnded) this.#nextReads.set(entry, at);
  }

  /** The read failed: retry with growing delays, but no later than the snapshot becomes stale. */
  #failed(entry: LiveEntry): void {
    this.#countFailure(entry);
    this.#schedule(entry, Math.min(this.#retryAt(entry), this.#staleAt(entry)));
  }

  #countFailure(entry: LiveEntry): void {
    this.#failures.set(entry, (this.#failures.get(entry) ?? 0) + 1);
  }

  #retryAt(entry: LiveEntry): number {
    const { clock, revalidateIntervalMs } = this.#options;
    const failures = this.#failures.get(entry) ?? 0;
    return clock.now() + Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 16), revalidateIntervalMs);
  }

  #revalidationAt(entry: LiveEntry): number {
    if (this.feed.state === "whole" && this.#isComplete) return Number.POSITIVE_INFINITY;
    return this.#freshAsOf(entry) + this.#options.revalidateIntervalMs;
  }

  /** When the snapshot becomes too old to be served. An unread session has no snapshot. */
  #staleAt(entry: LiveEntry): number {
    return entry.snapshot ? this.#freshAsOf(entry) + this.#options.staleMs : Number.POSITIVE_INFINITY;
  }

  #freshAsOf(entry: LiveEntry): number {
    return entry.freshAsOf(this.#vouchedAsOf, this.#options.clock.now());
  }

  #doubt(entry: LiveEntry, asOf = this.#vouchedAsOf): void {
    entry.doubt(this.#options.mark(), Math.min(asOf, this.#options.clock.now()));
  }

  /** An incomplete feed does not report every write, so it can't vouch for a snapshot. */
  get #isComplete(): boolean {
    return this.#options.store.feed?.complete !== false;
  }

  /** The time as of which the feed has reported every change. */
  get #vouchedAsOf(): number {
    return this.#isComplete ? this.feed.asOf : Number.NEGATIVE_INFINITY;
  }

  #isLongOver({ snapshot }: LiveEntry): boolean {
    const { clock, revalidateIntervalMs } = this.#options;
    return snapshot !== undefined && snapshot.expiresAt + revalidateIntervalMs <= clock.now();
  }

  /** Reports again when the reason changes, or after a success. An unreadable session says nothing about the others. */
  #reportOnce(entry: LiveEntry, error: unknown): void {
    const isOfEntry = isUnreadable(error);
    const failure = isOfEntry ? undefined : reasonOf(error);
    const isKnown = isOfEntry ? this.#unreadable.has(entry) : failure === this.#reported;
    if (isOfEntry) this.#unreadable.add(entry);
    else this.#reported = failure;
    if (!isKnown) this.#options.report(error);
  }
}

/** The error without the session's name, which the message contains. */
function reasonOf(error: unknown): string {
  if (!(error instanceof SocketSessionError)) return errorText(error);
  return error.cause === undefined ? error.code : `${error.code} ${errorText(error.cause)}`;
}
