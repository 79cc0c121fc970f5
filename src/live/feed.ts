import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { SessionChange, SessionStore, Unsubscribe } from "../session-store.ts";

/**
 * - `none`: the store has no change feed.
 * - `opening`: the first attempt to subscribe is under way. It ends as `whole` or as `broken`.
 * - `broken`: changes may be missed at the moment, or have been, and the live sessions are not all read again yet.
 */
export type FeedState = "none" | "opening" | "whole" | "broken";

export interface FeedOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly changed: (change: SessionChange) => void;
  /** Changes may be missed from now on, or have been; all published before `asOf` have arrived. */
  readonly gap: (asOf: number) => void;
  /** Why the feed is broken: once, and again when the reason changes, or when it has been whole since. */
  readonly failed: (error: unknown) => void;
  /** Nothing is missed any more, but something may have been: reads everything again, false if that failed. */
  readonly catchUp: () => Promise<boolean>;
  /** From now on a session is as fresh as the feed. */
  readonly whole: () => void;
}

const retryMs = 1_000;

/** The hub's subscription to its store's change feed. */
export class Feed {
  readonly #options: FeedOptions;
  #closed = false;
  #state: FeedState = "none";
  #isSubscribed = false;
  #unsubscribe: Unsubscribe | undefined;
  /** A feed that never says that it is alive is trusted. */
  #aliveAt = Number.POSITIVE_INFINITY;
  /** What was reported of a feed that is still broken: it is tried every second, and says no more than once why it fails. */
  #failure: string | undefined;
  /** Counts gaps, so that catching up with one notices the next. */
  #gaps = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get state(): FeedState {
    return this.#state;
  }

  /** While the feed is whole: everything published before this has been told; else the beginning of time. */
  get asOf(): number {
    if (this.#state !== "whole") return Number.NEGATIVE_INFINITY;
    const now = this.#options.clock.now();
    // The clock was set back: it counts from now on.
    if (this.#aliveAt !== Number.POSITIVE_INFINITY && this.#aliveAt > now) this.#aliveAt = now;
    return this.#aliveAt;
  }

  start(): void {
    const { store, heartbeatMs } = this.#options;
    const { changes } = store;
    if (!changes || this.#isSubscribed || this.#closed) return;
    if (this.#state === "none") this.#state = "opening";
    const listener = {
      changed: (change: SessionChange) => this.#options.changed(change),
      alive: (asOf: number) => {
        this.#aliveAt = asOf;
      },
      broken: (error: unknown) => this.#broken(error),
      missed: () => void this.#catchUp(),
    };
    void this.#subscribe(() => changes.call(store, listener, { heartbeatMs }));
  }

  async #subscribe(subscribe: () => Promise<Unsubscribe>): Promise<void> {
    this.#isSubscribed = true;
    try {
      this.#unsubscribe = await subscribe();
      if (this.#closed)
        await this.#unsubscribe(); // `close` does not wait for a subscription that may never be made
      else void this.#catchUp();
    } catch (error) {
      if (this.#closed) return; // the store may have been closed while it was opening the feed
      this.#broken(error);
      this.#isSubscribed = false;
      this.#options.clock.after(retryMs, () => this.start());
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#gaps++;
    await this.#unsubscribe?.();
  }

  #broken(error: unknown): void {
    const text = errorText(error);
    if (text !== this.#failure) this.#options.failed(error);
    this.#failure = text;
    this.#gap("broken");
  }

  #gap(state: "opening" | "broken"): number {
    const { asOf } = this;
    this.#state = state;
    this.#options.gap(asOf);
    return ++this.#gaps;
  }

  /** The feed does not count as whole before every live session has been read again. */
  async #catchUp(): Promise<void> {
    const gap = this.#gap(this.#state === "opening" ? "opening" : "broken");
    while (!(await this.#options.catchUp())) {
      if (gap !== this.#gaps) return;
      this.#state = "broken";
      await new Promise<void>((resolve) => this.#options.clock.after(retryMs, resolve));
      if (gap !== this.#gaps) return;
    }
    if (gap !== this.#gaps) return;
    this.#state = "whole";
    this.#failure = undefined;
    this.#options.whole();
  }
}
