import type { Clock } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { FeedListener, SessionChange, SessionStore, Unsubscribe } from "../session-store.ts";

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
  /** The state is another one now. */
  readonly became: (state: FeedState) => void;
}

/** Until the sessions are read again, where none could be. */
const retryMs = 1_000;

/**
 * The hub's subscription to its store's change feed. A feed that is cut, at the start or later, is opened again by the store;
 * one whose `changes` rejects stays `broken`.
 */
export class Feed {
  readonly #options: FeedOptions;
  #isClosed = false;
  #state: FeedState = "none";
  #unsubscribe: Unsubscribe | undefined;
  /** A feed that never says that it is alive is trusted. */
  #aliveAt = Number.POSITIVE_INFINITY;
  /** The failure that was reported last, until the feed is whole again. */
  #reported: string | undefined;
  /** Counts gaps, so that catching up with one notices the next. */
  #gaps = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get state(): FeedState {
    return this.#state;
  }

  /** While the feed is whole: everything published before this has arrived; else the beginning of time. */
  get asOf(): number {
    if (this.#state !== "whole") return Number.NEGATIVE_INFINITY;
    const now = this.#options.clock.now();
    // The clock was set back: it counts from now on.
    if (this.#aliveAt !== Number.POSITIVE_INFINITY && this.#aliveAt > now) this.#aliveAt = now;
    return this.#aliveAt;
  }

  /** Subscribes, once. */
  async start(): Promise<void> {
    const { store, heartbeatMs } = this.#options;
    if (!store.changes || this.#state !== "none" || this.#isClosed) return;
    this.#state = "opening";
    const listener: FeedListener = {
      changed: (change) => this.#options.changed(change),
      alive: (asOf) => {
        this.#aliveAt = asOf;
      },
      broken: (error) => this.#broken(error),
      missed: () => void this.#catchUp(),
    };
    try {
      this.#unsubscribe = await store.changes(listener, { heartbeatMs });
      if (this.#isClosed)
        await this.#unsubscribe(); // `close` does not wait for a subscription that may never be made
      else if (this.state !== "broken") void this.#catchUp();
    } catch (error) {
      if (!this.#isClosed) this.#broken(error); // else the store may have been closed while it opened the feed
    }
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#gaps++;
    await this.#unsubscribe?.();
  }

  #broken(error: unknown): void {
    const text = errorText(error);
    if (text !== this.#reported) this.#options.failed(error);
    this.#reported = text;
    this.#gap("broken");
  }

  #gap(state: "opening" | "broken"): number {
    const { asOf } = this;
    this.#become(state);
    this.#options.gap(asOf);
    return ++this.#gaps;
  }

  /** The feed does not count as whole before every live session has been read again. */
  async #catchUp(): Promise<void> {
    const gap = this.#gap(this.#state === "opening" ? "opening" : "broken");
    while (!(await this.#options.catchUp())) {
      if (gap !== this.#gaps) return;
      this.#become("broken");
      await new Promise<void>((resolve) => this.#options.clock.after(retryMs, resolve));
      if (gap !== this.#gaps) return;
    }
    if (gap !== this.#gaps) return;
    this.#become("whole");
    this.#reported = undefined;
    this.#options.whole();
  }

  #become(state: FeedState): void {
    if (state === this.#state) return;
    this.#state = state;
    this.#options.became(state);
  }
}
