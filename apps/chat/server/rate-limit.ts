export interface RateLimitOptions {
  readonly most: number;
  readonly perMs: number;
  readonly now: () => number;
}

/** At most `most` in any span of `perMs`, for each key. Keys that have been silent for so long are forgotten. */
export class RateLimit {
  readonly #options: RateLimitOptions;
  /** The key that was heard last comes last. */
  readonly #timesByKey = new Map<string, readonly number[]>();

  constructor(options: RateLimitOptions) {
    this.#options = options;
  }

  /** 0 if one more is allowed, and counts it; else how long to wait for the next, in milliseconds. */
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
