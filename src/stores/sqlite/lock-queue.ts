/**
 * Runs synchronous database operations without blocking the event loop while another process has the database locked: one
 * operation per turn, in order. While the lock is taken, the first operation is retried with jittered back-off until
 * `timeoutMs`.
 *
 * ```ts
 * const queue = new LockQueue({ timeoutMs: 5000, isBusy, timeoutError });
 * await queue.run(() => statement.run(id)); // rejects with what the operation throws, or with timeoutError
 * ```
 *
 * It waits in real time, whatever the store's clock, and keeps the process alive like any pending I/O.
 */
export interface LockQueueOptions {
  readonly timeoutMs: number;
  readonly isBusy: (error: unknown) => boolean;
  readonly timeoutError: (waitedMs: number, cause: unknown) => Error;
}

interface Waiting {
  readonly attempt: () => void;
  readonly reject: (error: unknown) => void;
  readonly since: number;
}

const firstDelayMs = 1;
const maxDelayMs = 40;

export class LockQueue {
  readonly #options: LockQueueOptions;
  readonly #waiting: Waiting[] = [];
  /** An operation is running, or a timer will run the next one. */
  #engaged = false;
  #delayMs = firstDelayMs;

  constructor(options: LockQueueOptions) {
    this.#options = options;
  }

  /** Runs at once if none is waiting and none has run in this turn; otherwise after all earlier operations. */
  run<Result>(operation: () => Result): Promise<Result> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ attempt: () => resolve(operation()), reject, since: performance.now() });
      if (!this.#engaged) this.#tryFirst();
    });
  }

  /** For operations that normally need no lock: runs at once, and queues only if the database is locked. */
  async runAtOnce<Result>(operation: () => Result): Promise<Result> {
    try {
      return operation();
    } catch (error) {
      if (!this.#options.isBusy(error)) throw error;
      return this.run(operation);
    }
  }

  #tryFirst(): void {
    const first = this.#waiting[0];
    this.#engaged = first !== undefined;
    if (!first) return;
    try {
      first.attempt();
    } catch (error) {
      const waitedMs = Math.round(performance.now() - first.since);
      if (this.#options.isBusy(error) && waitedMs < this.#options.timeoutMs) {
        // Jitter, so that processes that collided don't collide at every attempt.
        setTimeout(() => this.#tryFirst(), this.#delayMs * (0.5 + Math.random()));
        this.#delayMs = Math.min(this.#delayMs * 2, maxDelayMs);
        return;
      }
      first.reject(this.#options.isBusy(error) ? this.#options.timeoutError(waitedMs, error) : error);
    }
    this.#waiting.shift();
    this.#delayMs = firstDelayMs;
    setImmediate(() => this.#tryFirst());
  }
}
