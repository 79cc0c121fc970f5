import type { Snapshot } from "../data/snapshot.ts";
import type { EndReason, SessionKey } from "../session-store.ts";
import type { Actor } from "./actors.ts";
import type { Unstored } from "./ends.ts";

/** Follows a live session. Called synchronously. An error that an observer throws is reported, never propagated. */
export interface Observer {
  /**
   * The lower is called first: 0 takes sockets out of where they may no longer be, 1 sends the others the session's state, 2
   * (the default) may run any code of the application.
   */
  readonly rank?: 0 | 1;
  /** Of a connection: how many sockets of Socket.IO it has. Once it is released, nothing is sent to them. */
  readonly sockets?: number | undefined;
  /** The data or the deadline may differ. */
  changed?(snapshot: Snapshot, previous: Snapshot): void;
  ended?(end: End): void;
}

export interface End {
  readonly reason: EndReason;
  /** For `replaced`: settles when the response with the new cookie has been sent. Absent if that is not known. */
  readonly settled?: Promise<void> | undefined;
  /** The application's words for the page. */
  readonly message?: string | undefined;
  /** On whose behalf this process ended it. Absent if it learned of the end. */
  readonly by?: Actor;
}

/** A point in the order of events of this process (`mark`, see `Hub.mark`), and in time (milliseconds since the epoch). */
export interface Moment {
  readonly mark: number;
  readonly at: number;
}

/** What this node knows of a live session: see the table of `LiveEntry`, which alone changes it. */
export type EntryState =
  | { readonly phase: "unread"; readonly seen: Snapshot | undefined }
  | ({ readonly phase: "unstored"; readonly initial: Snapshot } & Unstored)
  | { readonly phase: "live"; readonly snapshot: Snapshot }
  | { readonly phase: "ended"; readonly end: End; readonly last: Snapshot | undefined };

/**
 * The one object of a live session on this node, however many sockets and transactions hold it.
 *
 * | State      | Holds                                             | Goes on by                                                      |
 * | ---------- | ------------------------------------------------- | --------------------------------------------------------------- |
 * | `unread`   | the version that a request had loaded, if one had | `see`: unread; `make`: unstored; `adopt`: live; `finish`: ended |
 * | `unstored` | what the session of a new guest begins with       | `adopt`: live; `finish`: ended                                  |
 * | `live`     | a snapshot                                        | `adopt`, `extend`: live; `finish`: ended                        |
 * | `ended`    | the reason, and the last version                  | nothing: an id that returns gets a new entry                    |
 *
 * A version that a request had loaded can be compared with and written on top of, but is never known to be current.
 * A session is `unstored` only on the node that made its id, so no other can store it first. An `unstored` entry without
 * observers has ended: the id is given up, and nothing stores it later.
 *
 * The entry orders versions by when they were true, not by when they arrive. A version was true at some moment between
 * the begin and the end of the operation that brought it. Of two reads, the one that began later wins. A write wins over
 * the reads that began before it ended. If it overlaps another operation in any other way it loses, and the session is
 * read again. An operation that began before the entry existed may lack changes, so its version is never taken.
 *
 * `doubt` records that a change happened, or may have. The feed then does not vouch for the entry until it adopts a
 * version of an operation that began later.
 */
export class LiveEntry {
  readonly key: SessionKey;
  readonly #observers = new Set<Observer>();
  /** Transactions under way. Like observers, they keep the entry alive. */
  #holds = 0;
  #state: EntryState = { phase: "unread", seen: undefined };
  /** The current version was true between these two marks. */
  #from: number;
  #until: number;
  /** A change happened before this mark: a version that began earlier may lack it. */
  #changedBy: number;
  /** The snapshot is known to have been current at this time (milliseconds since the epoch). */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** Set while this node ends the session: the feed may report the end first, without `settled`. */
  #ending: End | undefined;

  /** `born`: the feed's changes reach the entry from this mark on. */
  constructor(key: SessionKey, born: number) {
    this.key = key;
    this.#from = born;
    this.#until = born;
    this.#changedBy = born;
  }

  /** The entry of a session that had ended before it was observed. */
  static over(key: SessionKey, last: Snapshot | undefined): LiveEntry {
    const entry = new LiveEntry(key, 0);
    entry.#state = { phase: "ended", end: { reason: "destroyed" }, last };
    return entry;
  }

  get state(): EntryState {
    return this.#state;
  }

  get snapshot(): Snapshot | undefined {
    return this.#state.phase === "live" ? this.#state.snapshot : undefined;
  }

  /** The last version that was seen, current or not. */
  get known(): Snapshot | undefined {
    const state = this.#state;
    if (state.phase === "live") return state.snapshot;
    if (state.phase === "unstored") return undefined;
    return state.phase === "unread" ? state.seen : state.last;
  }

  get isUnstored(): boolean {
    return this.#state.phase === "unstored";
  }

  get isEnded(): boolean {
    return this.#state.phase === "ended";
  }

  /** The store could not be read in time, so the entry ended; the stored session may still exist. */
  get isUnverified(): boolean {
    return this.#state.phase === "ended" && this.#state.end.reason === "unverified";
  }

  /** By rank. A copy: an observer may leave while the others are called. */
  get observers(): readonly Observer[] {
    return [...this.#observers].sort((a, b) => (a.rank ?? 2) - (b.rank ?? 2));
  }

  get isIdle(): boolean {
    return this.#observers.size === 0 && this.#holds === 0;
  }

  observe(observer: Observer): void {
    this.#expect(!this.isEnded, "observed");
    this.#observers.add(observer);
  }

  release(observer: Observer): void {
    this.#observers.delete(observer);
  }

  hold(): void {
    this.#holds++;
  }

  letGo(): void {
    this.#expect(this.#holds > 0, "let go");
    this.#holds--;
  }

  /** Shows the version that a request loaded, until the store has been read. */
  see(seen: Snapshot): void {
    if (this.#state.phase === "unread") this.#state = { phase: "unread", seen: this.#state.seen ?? seen };
  }

  /** The session was just made, with a new id. It is stored with `initial` once something is written to it. */
  make(initial: Snapshot, unstored: Unstored): void {
    this.#expect(this.#state.phase === "unread" && this.isIdle, "made");
    this.#state = { phase: "unstored", initial, ...unstored };
  }

  /** Whether an operation that began at `mark` found a newer version than the current one. */
  takes(mark: number): boolean {
    return !this.isEnded && mark > this.#until;
  }

  /** Whether the current version was true at `mark` or later, and lacks no known change. */
  holdsSince(mark: number): boolean {
    return this.#from >= mark && !this.isDoubtful;
  }

  /** Whether an operation that began at `mark` includes every known change. */
  isCurrent(mark: number): boolean {
    return mark > this.#changedBy;
  }

  /** Whether the current version lacks a change that happened, or may have. */
  get isDoubtful(): boolean {
    return !this.isCurrent(this.#from);
  }

  /**
   * Makes `snapshot` the current one and returns the previous. `until`: the mark at which a write ended or a read
   * began.
   */
  adopt(snapshot: Snapshot, began: Moment, until: number): Snapshot | undefined {
    this.#expect(!this.isEnded, "given a version");
    const previous = this.#initial ?? this.known;
    // A write on top of what is held may have begun before that was read: what it stored is newer all the same.
    this.#from = Math.max(this.#from, began.mark);
    this.#until = until;
    this.#confirm(began.at);
    this.#state = { phase: "live", snapshot };
    return previous;
  }

  /** Extends the same data's life. Undefined if that adds nothing, or if the current version may be newer than `began`. */
  extend(expiresAt: number, began: number): Snapshot | undefined {
    const { snapshot } = this;
    if (!snapshot || expiresAt <= snapshot.expiresAt || began <= this.#until) return undefined;
    const extended = snapshot.until(expiresAt);
    this.#state = { phase: "live", snapshot: extended };
    return extended;
  }

  /** A change happened before `mark`, or may have; the snapshot was current until `asOf`. */
  doubt(mark: number, asOf: number): void {
    if (!this.isDoubtful) this.#confirm(asOf);
    this.#changedBy = mark;
  }

  /** The time as of which the snapshot is current. `feedAsOf`: everything published before has arrived. */
  freshAsOf(feedAsOf: number, now: number): number {
    this.#confirmedAt = Math.min(this.#confirmedAt, now); // the clock may have been set back
    return this.isDoubtful ? this.#confirmedAt : Math.max(this.#confirmedAt, feedAsOf);
  }

  /** Called before this node ends the session, with the end; with undefined if that failed. */
  expectEnd(end: End | undefined): void {
    this.#ending = end;
  }

  /** Returns the actual end: the one that this node expected, if any. */
  finish(end: End): End {
    this.#expect(!this.isEnded, "ended");
    const actual = end.reason === "unverified" ? end : (this.#ending ?? end);
    this.#state = { phase: "ended", end: actual, last: this.#initial ?? this.known };
    return actual;
  }

  get #initial(): Snapshot | undefined {
    return this.#state.phase === "unstored" ? this.#state.initial : undefined;
  }

  #confirm(asOf: number): void {
    this.#confirmedAt = Math.max(this.#confirmedAt, asOf);
  }

  #expect(holds: boolean, what: string): void {
    if (!holds)
      throw new Error(`Session ${this.key.publicId} was ${what} in the state "${this.#state.phase}".`);
  }
}
