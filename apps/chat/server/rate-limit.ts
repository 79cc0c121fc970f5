export interface RateLimitOptions {
  readonly most: number;
  readonly perMs: number;
  readonly now: () => number;
}

/**
 * Allows at most `most` calls in any span of `perMs`, for each key. Keys that are silent for that long are forgotten.
 */
export class RateLimit {
  readonly #options: RateLimitOptions;
  /** Ordered by the last call, the latest last. */
  readonly #timesByKey = new Map<string, readonly number[]>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** Returns 0 if one more is allowed, and counts it; otherwise the milliseconds to wait for the next. */
  take(key: string): number {
    const { most, perMs, now } = this.#options;
    const time = now();
    this.#forgetSilent(time - perMs);
    const recent = (this.#timesByKey.get(key) ?? []).filter((one) => one > time - perMs);
    const [first] = recent;
    if (first !== undefined && recent.length >= most) return first + perMs - time;
    this.#timesByKey.delete(key);
    this.#timesByKey.set(key, [...recent, time]);
    return 0;
  }

  #forgetSilent(until: number): void {
    for (const [key, times] of this.#timesByKey) {
      if ((times.at(-1) ?? until) > until) return;
      this.#timesByKey.delete(key);
    }
  }
}
