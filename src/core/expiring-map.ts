import type { Clock } from "../clock.ts";

/** A map whose entries vanish `ttlMs` after they were set, at most `maxSize` of them (the oldest go first). */
export class ExpiringMap<V> {
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #maxSize: number;
  readonly #entries = new Map<string, { value: V; until: number }>();
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, ttlMs: number, maxSize: number) {
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#maxSize = maxSize;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry && entry.until > this.#clock.now() ? entry.value : undefined;
  }

  set(key: string, value: V): void {
    this.#entries.delete(key); // so that insertion order stays the order of expiry
    this.#entries.set(key, { value, until: this.#clock.now() + this.#ttlMs });
    if (this.#entries.size > this.#maxSize) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest);
        break;
      }
    }
    this.#arm();
  }

  clear(): void {
    this.#entries.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }

  #arm(): void {
    this.#cancel ??= this.#clock.after(this.#ttlMs, () => {
      this.#cancel = undefined;
      const now = this.#clock.now();
      for (const [key, entry] of this.#entries) {
        if (entry.until > now) break;
        this.#entries.delete(key);
      }
      if (this.#entries.size > 0) this.#arm();
    });
  }
}
