import type { Clock } from "../base/clock.ts";
import { Deadlines } from "../base/deadlines.ts";
import type { LiveEntry } from "./live-entry.ts";

const firstRetryMs = 1_000;
/** Longer than most requests take, whose handles are released with the response and cost no read then. */
const soonMs = 100;

export interface ChecksOptions {
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  /** From this age on a snapshot is not served any more. */
  readonly staleMs: number;
  /** Else every live session is asked for each `revalidateIntervalMs`. */
  readonly feedSuffices: () => boolean;
  /** The time as of which the session's snapshot is known to be current. */
  readonly freshAsOf: (entry: LiveEntry) => number;
  /** Asks the store what has become of the session. */
  readonly verify: (entry: LiveEntry) => void;
}

/** When each live session is to be asked for next: at its deadline, at revalidation, or again after a failure. */
export class Checks {
  readonly #options: ChecksOptions;
  readonly #deadlines: Deadlines<LiveEntry>;

  constructor(options: ChecksOptions) {
    this.#options = options;
    this.#deadlines = new Deadlines(options.clock, options.verify);
  }

  get size(): number {
    return this.#deadlines.size;
  }

  /** The session is known to be stored until `expiresAt`; one kept past its time is asked for ever less. */
  seen(entry: LiveEntry, expiresAt: number): void {
    const now = this.#options.clock.now();
    // What is in doubt stays due when it is: that it lives longer says nothing of what it holds.
    const planned = entry.isDoubtful ? this.#deadlines.at(entry) : undefined;
    if (planned === undefined) entry.failures = expiresAt > now ? 0 : entry.failures + 1;
    if (entry.idle) return;
    const deadline = expiresAt > now ? expiresAt : now + this.#retryMs(entry);
    const next = Math.min(deadline, this.#revalidationOf(entry), planned ?? Number.POSITIVE_INFINITY);
    this.#deadlines.set(entry, next);
  }

  /** The store could not be asked: again soon, and ever later, but not later than the snapshot becomes stale. */
  failed(entry: LiveEntry): void {
    if (entry.isEnded || entry.idle) return;
    entry.failures++;
    this.#deadlines.set(
      entry,
      Math.min(this.#options.clock.now() + this.#retryMs(entry), this.staleAt(entry)),
    );
  }

  /** The store is being asked. An answer that does not come leaves the snapshot to become stale. */
  asking(entry: LiveEntry): void {
    const staleAt = this.staleAt(entry);
    if (!entry.idle && Number.isFinite(staleAt)) this.#deadlines.set(entry, staleAt);
  }

  /** When the snapshot is too old to be served. What has not been read can't become stale. */
  staleAt(entry: LiveEntry): number {
    if (!entry.snapshot) return Number.POSITIVE_INFINITY;
    return this.#options.freshAsOf(entry) + this.#options.staleMs;
  }

  /** The session is shown as it was loaded once: it is asked for soon. */
  soon(entry: LiveEntry): void {
    this.#deadlines.set(entry, this.#options.clock.now() + soonMs);
  }

  delete(entry: LiveEntry): void {
    this.#deadlines.delete(entry);
  }

  clear(): void {
    this.#deadlines.clear();
  }

  #revalidationOf(entry: LiveEntry): number {
    const { feedSuffices, revalidateIntervalMs } = this.#options;
    return feedSuffices() ? Number.POSITIVE_INFINITY : entry.confirmedAt + revalidateIntervalMs;
  }

  #retryMs({ failures }: LiveEntry): number {
    return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 16), this.#options.revalidateIntervalMs);
  }
}
