/**
 * Ends a subscription's connection once: quietly, when its owner closes it or aborts the signal; or with `down(error)`, when
 * it fails. The first failure is final, since both drivers would reconnect and silently miss messages.
 */
export class SubscriptionEnd {
  readonly #disconnect: () => void;
  readonly #down: (error: unknown) => void;
  readonly #failed = Promise.withResolvers<never>();
  #isOver = false;

  constructor(disconnect: () => void, down: (error: unknown) => void, signal: AbortSignal) {
    this.#disconnect = disconnect;
    this.#down = down;
    this.#failed.promise.catch(() => {}); // `down` reports it as well
    const abort = () => {
      this.#failed.reject(signal.reason);
      this.close();
    };
    signal.addEventListener("abort", abort, { once: true });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#disconnect();
  }

  fail(error: unknown): void {
    if (this.#isOver) return;
    this.#failed.reject(error);
    this.close();
    this.#down(error);
  }

  /** Rejects when the connection fails, since a driver may then leave an operation pending. */
  async unlessFailed(run: () => Promise<unknown>): Promise<void> {
    await Promise.race([run(), this.#failed.promise]);
  }

  /** As `unlessFailed`, and closes the connection on failure. */
  async orClose(run: () => Promise<unknown>): Promise<void> {
    try {
      await this.unlessFailed(run);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}
