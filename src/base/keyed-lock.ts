/**
 * Runs the functions of one key one after another, in the order of the calls; those of different keys run concurrently.
 */
export class KeyedLock {
  readonly #tails = new Map<string, Promise<unknown>>();

  /** How many keys have a function running or waiting. */
  get size(): number {
    return this.#tails.size;
  }

  isHeld(key: string): boolean {
    return this.#tails.has(key);
  }

  /** Resolves after what is running and waiting for `key` now; undefined if nothing is. */
  settled(key: string): Promise<void> | undefined {
    return this.isHeld(key) ? this.run(key, async () => {}) : undefined;
  }

  /** Resolves once nothing is running or waiting. */
  async idle(): Promise<void> {
    while (this.#tails.size > 0) await Promise.all(this.#tails.values());
  }

  run<T>(key: string, fn: () => Promise<T>): Promise<T> {
    const before = this.#tails.get(key);
    const result = before ? before.then(fn) : fn();
    const tail: Promise<void> = result.then(
      () => this.#release(key, tail),
      () => this.#release(key, tail),
    );
    this.#tails.set(key, tail);
    return result;
  }

  #release(key: string, tail: Promise<unknown>): void {
    if (this.#tails.get(key) === tail) this.#tails.delete(key);
  }
}
