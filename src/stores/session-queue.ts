/**
 * Lets the operations on one session run one after another; those on different sessions don't wait for each other.
 * Nothing is kept for a session on which nothing runs.
 *
 * ```ts
 * const queue = new SessionQueue();
 * await queue.run(sid, async () => { … });
 * ```
 */
export class SessionQueue {
  readonly #lastBySid = new Map<string, Promise<unknown>>();

  /** Settles as `operation` does. An operation that fails doesn't keep the next one from running. */
  run<Result>(sid: string, operation: () => Promise<Result>): Promise<Result> {
    const before = this.#lastBySid.get(sid) ?? Promise.resolve();
    const result = before.then(operation);
    const settled: Promise<void> = result.then(
      () => this.#forget(sid, settled),
      () => this.#forget(sid, settled),
    );
    this.#lastBySid.set(sid, settled);
    return result;
  }

  #forget(sid: string, settled: Promise<unknown>): void {
    if (this.#lastBySid.get(sid) === settled) this.#lastBySid.delete(sid);
  }
}
