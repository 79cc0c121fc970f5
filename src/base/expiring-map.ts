/**
 * A map whose entries expire. An expired entry is never returned, and a sweep removes it at most `sweepIntervalMs`
 * later. Above `maxEntries` the oldest entries are removed. A timer runs only while there are entries, and does not keep
 * the process alive.
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

  /** `onRemoved` is called for each removed entry, whatever removed it, but not for one that `set` replaces. */
  constructor(clock: Clock, options: ExpiringMapOptions<Value> = {}) {
    const { sweepIntervalMs = 60_000, maxEntries = Number.POSITIVE_INFINITY, onRemoved } = options;
    this.#clock = clock;
    this.#sweepIntervalMs = sweepIntervalMs;
    this.#maxEntries = maxEntries;
    this.#onRemoved = onRemoved;
  }

  /** The number of entries, including expired ones that no sweep has removed yet. */
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

  /** True if there was an unexpired entry. */
  delete(key: string): boolean {
    const value = this.get(key);
    if (value !== undefined) this.#remove(key, value);
    return value !== undefined;
  }

  /** The unexpired entries. */
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
