import type { Snapshot } from "../data/snapshot.ts";
import type { EndReason, SessionKey } from "../session-store.ts";

/** Who is told what becomes of a live session. Called synchronously; what it throws is reported, never propagated. */
export interface Observer {
  changed?(snapshot: Snapshot, previous: Snapshot): void;
  ended?(end: End): void;
}

export interface End {
  readonly reason: EndReason;
  /** For `replaced`: settles when the response with the new cookie has gone out; absent where nobody can tell. */
  readonly settled?: Promise<void>;
}

/** A point in the order of events of this process (`mark`, see `Hub.mark`), and in time (milliseconds since the epoch). */
export interface Moment {
  readonly mark: number;
  readonly at: number;
}

/**
 * Where a live session stands; it only moves forward, in `LiveEntry` alone. `seen` is a version that a request had loaded
 * before the entry existed: good to compare with and to write on top of, but never known to be current.
 */
export type EntryState =
  | { readonly phase: "unread"; readonly seen: Snapshot | undefined }
  | { readonly phase: "live"; readonly snapshot: Snapshot }
  | { readonly phase: "ended"; readonly end: End; readonly last: Snapshot | undefined };

/**
 * A session that is live on this node: kept once, however many sockets and transactions hold it.
 *
 * It orders the versions it is given by when they were true, not by when they arrive. A version was true at some moment
 * between the begin and the end of the operation that brought it. Of two reads, the one that began later wins. A write
 * wins over the reads that began before it ended, and loses to a version whose read or write it overlaps otherwise: such
 * a session is read again. What began before the entry existed may have missed changes, and is never taken.
 */
export class LiveEntry {
  readonly key: SessionKey;
  readonly observers = new Set<Observer>();
  /** Transactions under way: they keep the entry alive as an observer does. */
  holds = 0;
  state: EntryState = { phase: "unread", seen: undefined };
  /** The version that is held was true between these two marks. */
  #from: number;
  #until: number;
  /** A change happened before this mark: a version that began earlier may be without it. */
  #changedBy: number;
  /** The snapshot is known to have been current at this time (milliseconds since the epoch). */
  confirmedAt = Number.NEGATIVE_INFINITY;
  /** The feed may have left out, or has told of, a change that has not been read yet: until then it does not vouch for the session. */
  isDoubtful = false;
  /** The read under way, shared by all who need one. */
  reading: Promise<Snapshot | null> | undefined;
  /** How this node is about to end the session, so that the feed's echo does not end it with less. */
  ending: End | undefined;
  /** Failed or overdue checks in a row, for the back-off. */
  failures = 0;
  touching = false;
  touchNotBefore = 0;

  /** `born`: the mark of when the feed's changes began to reach it. */
  constructor(key: SessionKey, born: number) {
    this.key = key;
    this.#from = born;
    this.#until = born;
    this.#changedBy = born;
  }

  /** One that has ended before anybody looked. */
  static over(key: SessionKey, last: Snapshot | undefined): LiveEntry {
    const entry = new LiveEntry(key, 0);
    entry.state = { phase: "ended", end: { reason: "destroyed" }, last };
    return entry;
  }

  get snapshot(): Snapshot | undefined {
    return this.state.phase === "live" ? this.state.snapshot : undefined;
  }

  /** The last version that was seen, current or not. */
  get known(): Snapshot | undefined {
    const { state } = this;
    if (state.phase === "live") return state.snapshot;
    return state.phase === "unread" ? state.seen : state.last;
  }

  get isEnded(): boolean {
    return this.state.phase === "ended";
  }

  get idle(): boolean {
    return this.observers.size === 0 && this.holds === 0;
  }

  /** What a request had loaded, until the store has been asked. */
  see(seen: Snapshot): void {
    if (this.state.phase === "unread") this.state = { phase: "unread", seen: this.state.seen ?? seen };
  }

  /** Whether what an operation that began at `mark` has found is newer than what is held. */
  takes(mark: number): boolean {
    return !this.isEnded && mark > this.#until;
  }

  /** Whether what is held was true at `mark` or later, and no change is known that it may be without. */
  holdsSince(mark: number): boolean {
    return this.#from >= mark && this.isCurrent(this.#from);
  }

  /** Whether no change is known that an operation that began at `mark` may be without. */
  isCurrent(mark: number): boolean {
    return mark > this.#changedBy;
  }

  /** Makes `snapshot` the current one; returns the one before. `until`: the mark of a write's end, or of a read's begin. */
  adopt(snapshot: Snapshot, began: Moment, until: number): Snapshot | undefined {
    const previous = this.known;
    this.#from = began.mark;
    this.#until = until;
    this.confirm(began.at);
    if (this.isCurrent(began.mark)) this.isDoubtful = false;
    this.state = { phase: "live", snapshot };
    return previous;
  }

  /** What began before `mark` may be out of date: it is read again. */
  outdate(mark: number): void {
    this.#changedBy = mark;
  }

  /** The snapshot was current at `asOf`. */
  confirm(asOf: number): void {
    this.confirmedAt = Math.max(this.confirmedAt, asOf);
  }

  /** It has ended here because nobody could say whether it still lives; the stored session may. */
  get isUnverified(): boolean {
    return this.state.phase === "ended" && this.state.end.reason === "unverified";
  }

  /** The same data, living longer; false if it does not, or if what is held may be newer than what `began` then. */
  extend(expiresAt: number, began: number): boolean {
    const { snapshot } = this;
    if (!snapshot || expiresAt <= snapshot.expiresAt || began <= this.#until) return false;
    this.state = { phase: "live", snapshot: { ...snapshot, expiresAt } };
    return true;
  }

  finish(end: End): void {
    this.state = { phase: "ended", end, last: this.known };
  }
}
