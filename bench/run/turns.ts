/**
 * Turns at the machine. The samples of a round are warm at the same time, and measured a part at a time, one after another: where others
 * share the machine, its speed changes from second to second, and each sample has parts of all of them.
 *
 * ```ts
 * const turns = new Turns();
 * const measuring = measure(() => turns.next()); // waits before each part
 * await turns.give(measuring); // undefined: it waits for another turn; else the measurement
 * ```
 */
export class Turns {
  #wanted = Promise.withResolvers<undefined>();
  #given = Promise.withResolvers<void>();

  /** Ends the turn; resolves at the next. */
  async next(): Promise<void> {
    this.#given = Promise.withResolvers();
    this.#wanted.resolve(undefined);
    await this.#given.promise;
  }

  /** Resolves when the turn has ended, or with what `measuring` comes to. */
  give<T>(measuring: Promise<T>): Promise<T | undefined> {
    this.#wanted = Promise.withResolvers();
    this.#given.resolve();
    return Promise.race([this.#wanted.promise, measuring]);
  }
}
