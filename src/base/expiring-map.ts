/**
 * A map whose entries end by the clock: an entry whose time is over is never returned, and is removed by a sweep at
 * most `sweepIntervalMs` later; of more than `maxEntries` the oldest go. There is a timer only while there are entries, and it keeps no process alive.
 *
 * ```ts
 * const entries = new ExpiringMap<{ expiresAt: number }>(systemClock);
 * entries.set("a", { expiresAt: Date.now() + 1000 });
 * entries.stop(); // ends the timer; the next `set` starts it again
 * ```
 */
import type { Clock } from "./clock.ts";

interface ExpiringMapOptions<Value> {
  readonly sweepIntervalMs?: number;
  readonly maxEntries?: number;
  readonly onRemoved?: (key: string, value: Value) => void;
}

export class ExpiringMap<Value extends { readonly expiresAt: number }> {
  readonly #entries = new Map<string, Value>();
  readonly #clock: Clock;
  readonly #sweepIntervalMs: number;
  readonly #maxEntries: number;
  readonly #onRemoved: ((key: string, value: Value) => void) | undefined;
  #cancelSweep: (() => void) | null = null;

  /** `onRemoved` is told of each entry that is gone, whatever removed it; not of one that `set` has replaced. */
  constructor(clock: Clock, options: ExpiringMapOptions<Value> = {}) {
    const { sweepIntervalMs = 60_000, maxEntries = Number.POSITIVE_INFINITY, onRemoved } = options;
    this.#clock = clock;
    this.#sweepIntervalMs = sweepIntervalMs;
    this.#maxEntries = maxEntries;
    this.#onRemoved = onRemoved;
  }

  /** All that is held, entries included whose time is over but which no sweep has met yet. */
  get heldSize(): number {
    return this.#entries.size;
  }

  get(key: string): Value | undefined {
    const value = this.#entries.get(key);
    if (value === undefined || value.expiresAt > this.#clock.now()) return value;
    this.#remove(key, value);
    return undefined;
  }

  set(key: string, value: Value): void {
    this.#entries.delete(key); // so that the order is that of the last `set`
    this.#entries.set(key, value);
    for (const [oldest, itsValue] of this.#entries) {
      if (this.#entries.size <= this.#maxEntries) break;
      this.#remove(oldest, itsValue);
    }
    this.#scheduleSweep();
  }

  /** True if there was an entry whose time was not over. */
  delete(key: string): boolean {
    const value = this.get(key);
    if (value !== undefined) this.#remove(key, value);
    return value !== undefined;
  }

  /** The entries whose time is not over. */
  live(): [key: string, value: Value][] {
    const now = this.#clock.now();
    return [...this.#entries].filter(([, value]) => value.expiresAt > now);
  }

  clear(): void {
    for (const [key, value] of this.#entries) this.#remove(key, value);
    this.stop();
  }

  stop(): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
  }

  #remove(key: string, value: Value): void {
    this.#entries.delete(key);
    this.#onRemoved?.(key, value);
  }

  #scheduleSweep(): void {
    this.#cancelSweep ??= this.#clock.after(this.#sweepIntervalMs, () => {
      this.#cancelSweep = null;
      const now = this.#clock.now();
      for (const [key, value] of this.#entries) if (value.expiresAt <= now) this.#remove(key, value);
      if (this.#entries.size > 0) this.#scheduleSweep();
    });
  }
}
