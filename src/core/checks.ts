import type { Clock } from "../clock.ts";
import { Deadlines } from "./deadlines.ts";
import type { LiveEntry } from "./live-entry.ts";

const firstRetryMs = 1_000;

export interface ChecksOptions {
  readonly clock: Clock;
  readonly revalidateIntervalMs: number;
  /** While the feed is not whole, every live session is asked for each `revalidateIntervalMs`. */
  readonly feedIsWhole: () => boolean;
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

  /** The session has just been seen, stored until `expiresAt`; one kept past its time is asked for ever less. */
  seen(entry: LiveEntry, expiresAt: number): void {
    const { clock, revalidateIntervalMs, feedIsWhole } = this.#options;
    const now = clock.now();
    entry.failures = expiresAt > now ? 0 : entry.failures + 1;
    if (entry.idle) return;
    const deadline = expiresAt > now ? expiresAt : now + this.#retryMs(entry);
    this.#deadlines.set(entry, feedIsWhole() ? deadline : Math.min(deadline, now + revalidateIntervalMs));
  }

  /** The store could not be asked: again soon, and ever later. */
  failed(entry: LiveEntry): void {
    if (entry.isEnded || entry.idle) return;
    entry.failures++;
    this.#deadlines.set(entry, this.#options.clock.now() + this.#retryMs(entry));
  }

  delete(entry: LiveEntry): void {
    this.#deadlines.delete(entry);
  }

  clear(): void {
    this.#deadlines.clear();
  }

  #retryMs({ failures }: LiveEntry): number {
    return Math.min(firstRetryMs * 2 ** Math.min(failures - 1, 16), this.#options.revalidateIntervalMs);
  }
}
