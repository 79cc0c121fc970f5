/**
 * How a subscription's connection ends: once, by whoever had it, which is no news, or by a failure, which is told. Whoever
 * is still opening it has it as well, by the signal. Both drivers would connect again by themselves, and nobody would know what was missed meanwhile: the first failure ends it.
 */
export class SubscriptionEnd {
  readonly #disconnect: () => void;
  readonly #down: (error: unknown) => void;
  readonly #failed = Promise.withResolvers<never>();
  #isOver = false;

  constructor(disconnect: () => void, down: (error: unknown) => void, signal: AbortSignal) {
    this.#disconnect = disconnect;
    this.#down = down;
    this.#failed.promise.catch(() => {}); // told by `down` besides
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

  /** Rejects at the latest when the connection fails: a driver may then leave an operation hanging. */
  async unlessFailed(run: () => Promise<unknown>): Promise<void> {
    await Promise.race([run(), this.#failed.promise]);
  }

  /** As `unlessFailed`, and closes the connection where that does not succeed. */
  async orClose(run: () => Promise<unknown>): Promise<void> {
    try {
      await this.unlessFailed(run);
    } catch (error) {
      this.close();
      throw error;
    }
  }
}
