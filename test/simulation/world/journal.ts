/**
 * A map that remembers what it held: what a database keeps, where a failover may set it back to how it was.
 *
 * ```ts
 * rows.set("a", 1);
 * rows.forget(since); // the keys that it has set back
 * ```
 */
export class Journal<Value> {
  readonly #values = new Map<string, Value>();
  readonly #past: { readonly at: number; readonly key: string; readonly before: Value | undefined }[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  set(key: string, value: Value): void {
    this.#note(key);
    this.#values.set(key, value);
  }

  delete(key: string): boolean {
    if (!this.#values.has(key)) return false;
    this.#note(key);
    return this.#values.delete(key);
  }

  get entries(): [key: string, value: Value][] {
    return [...this.#values];
  }

  /** Undoes what was done since then; returns the keys that it was done to. */
  forget(since: number): string[] {
    const keys = new Set<string>();
    for (let last = this.#past.at(-1); last && last.at >= since; last = this.#past.at(-1)) {
      this.#past.pop();
      keys.add(last.key);
      if (last.before === undefined) this.#values.delete(last.key);
      else this.#values.set(last.key, last.before);
    }
    return [...keys];
  }

  #note(key: string): void {
    this.#past.push({ at: this.#now(), key, before: this.#values.get(key) });
    if (this.#past.length > 2_000) this.#past.splice(0, 1_000); // no failover goes back so far
  }
}
