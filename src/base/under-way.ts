/**
 * Waits for what is under way, which it only counts. A set of it would hold it for longer: V8 keeps the tables that a set leaves
 * behind as it changes, with what was in them, until a full collection.
 *
 * ```ts
 * const ended = underWay.begun();
 * await underWay.settled(); // once `ended()` was called
 * ```
 */
export class UnderWay {
  /** What began since the last call of `settled`. */
  #current = new Generation(Promise.resolve());

  /** The returned function says that it has ended; a second call of it does nothing. */
  begun(): () => void {
    const generation = this.#current;
    let hasEnded = false;
    generation.count++;
    return () => {
      if (hasEnded) return;
      hasEnded = true;
      generation.count--;
      generation.check();
    };
  }

  /** Resolves once all that is under way now has ended. */
  settled(): Promise<void> {
    const last = this.#current;
    const settled = Promise.all([last.before, last.over.promise]).then(() => {});
    this.#current = new Generation(settled);
    last.isClosed = true;
    last.check();
    return settled;
  }
}

class Generation {
  readonly before: Promise<void>;
  readonly over = Promise.withResolvers<void>();
  count = 0;
  isClosed = false;

  constructor(before: Promise<void>) {
    this.before = before;
  }

  check(): void {
    if (this.isClosed && this.count === 0) this.over.resolve();
  }
}
