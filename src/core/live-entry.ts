import type { EndReason, SessionKey } from "./session-store.ts";
import type { Snapshot } from "./snapshot.ts";

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

/** Where a live session stands; it only moves forward, in `LiveEntry` alone. */
export type EntryState =
  | { readonly phase: "unread" }
  | { readonly phase: "live"; readonly snapshot: Snapshot }
  | { readonly phase: "ended"; readonly end: End; readonly last: Snapshot | undefined };

/** A session that is live on this node: kept once, however many sockets and transactions hold it. */
export class LiveEntry {
  readonly key: SessionKey;
  readonly observers = new Set<Observer>();
  /** Transactions under way: they keep the entry alive as an observer does. */
  holds = 0;
  state: EntryState = { phase: "unread" };
  /** Counts what made the snapshot doubtful, so that a read notices being overtaken. */
  invalidations = 0;
  /** Counts snapshots, so that a read notices a write that finished meanwhile. */
  adoptions = 0;
  /** The snapshot is known to have been current at this time (milliseconds since the epoch). */
  confirmedAt = Number.NEGATIVE_INFINITY;
  /** The feed told of a change that has not been read yet: until then it vouches for this session no longer. */
  isDoubtful = false;
  /** The read under way, shared by all who need one. */
  reading: Promise<Snapshot | null> | undefined;
  /** How this node is about to end the session, so that the feed's echo does not end it with less. */
  ending: End | undefined;
  /** Failed or overdue checks in a row, for the back-off. */
  failures = 0;
  touching = false;
  touchNotBefore = 0;

  constructor(key: SessionKey) {
    this.key = key;
  }

  /** One that has ended before anybody looked. */
  static over(key: SessionKey, last: Snapshot | undefined): LiveEntry {
    const entry = new LiveEntry(key);
    entry.state = { phase: "ended", end: { reason: "destroyed" }, last };
    return entry;
  }

  get snapshot(): Snapshot | undefined {
    return this.state.phase === "live" ? this.state.snapshot : undefined;
  }

  get isEnded(): boolean {
    return this.state.phase === "ended";
  }

  get idle(): boolean {
    return this.observers.size === 0 && this.holds === 0;
  }

  /** Makes `snapshot`, current as of then, the current one; returns the one before. */
  adopt(snapshot: Snapshot, asOf: number): Snapshot | undefined {
    const previous = this.snapshot;
    if (this.isEnded) return previous;
    this.adoptions++;
    this.confirm(asOf);
    this.state = { phase: "live", snapshot };
    return previous;
  }

  /** The snapshot was current at `asOf`. */
  confirm(asOf: number): void {
    this.confirmedAt = Math.max(this.confirmedAt, asOf);
  }

  /** It has ended here because nobody could say whether it still lives; the stored session may. */
  get isUnverified(): boolean {
    return this.state.phase === "ended" && this.state.end.reason === "unverified";
  }

  /** The same data, living longer; false if it is no news. */
  extend(expiresAt: number): boolean {
    const { snapshot } = this;
    if (!snapshot || expiresAt <= snapshot.expiresAt) return false;
    this.state = { phase: "live", snapshot: { ...snapshot, expiresAt } };
    return true;
  }

  finish(end: End): void {
    this.state = { phase: "ended", end, last: this.snapshot };
  }
}
