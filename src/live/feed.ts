import { type Clock, pause } from "../base/clock.ts";
import { errorText } from "../base/errors.ts";
import type { FeedListener, SessionChange, SessionStore, Unsubscribe } from "../session-store.ts";

/**
 * - `none`: the store has no change feed.
 * - `opening`: the first attempt to subscribe is under way. It ends as `whole` or as `broken`.
 * - `broken`: changes may be missed now, or were missed and the live sessions have not been read again yet.
 */
export type FeedState = "none" | "opening" | "whole" | "broken";

export interface FeedOptions {
  readonly store: SessionStore;
  readonly clock: Clock;
  readonly heartbeatMs: number;
  readonly changed: (change: SessionChange) => void;
  readonly told: (note: string) => void;
  /** Changes may be missed from now on, or have been. All changes published before `asOf` have arrived. */
  readonly gap: (asOf: number) => void;
  /** The feed broke. Called once; again only when the reason changes, or after the feed was whole. */
  readonly failed: (error: unknown) => void;
  /** The feed is connected again, but may have missed changes. Reads the doubtful sessions; false if that failed. */
  readonly catchUp: () => Promise<boolean>;
  /** From now on the feed vouches for the sessions. */
  readonly whole: () => void;
  /** For the application: the feed is cut, or whole (again). */
  readonly became: (state: "whole" | "broken") => void;
}

/** How soon to subscribe again after a rejection, or to catch up again after no session could be read. */
const retryMs = 1_000;

/**
 * The hub's subscription to its store's change feed. The store reopens a feed that is cut, at the start or later; where it
 * rejects the subscription instead, the hub subscribes again.
 */
export class Feed {
  readonly #options: FeedOptions;
  #isClosed = false;
  #state: FeedState = "none";
  #unsubscribe: Unsubscribe | undefined;
  /** Infinity until the first beat: a feed that never sends one is trusted. */
  #aliveAt = Number.POSITIVE_INFINITY;
  /** The last reported failure, until the feed is whole again. */
  #reported: string | undefined;
  #announced: "whole" | "broken" | undefined;
  /** Counts gaps, so that a catch-up notices the next one. */
  #gaps = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
  }

  get state(): FeedState {
    return this.#state;
  }

  /** While the feed is whole, all changes published before this time have arrived. Otherwise the beginning of time. */
  get asOf(): number {
    if (this.#state !== "whole") return Number.NEGATIVE_INFINITY;
    const now = this.#options.clock.now();
    // The clock was set back: count from now on.
    if (this.#aliveAt !== Number.POSITIVE_INFINITY && this.#aliveAt > now) this.#aliveAt = now;
    return this.#aliveAt;
  }

  /** Subscribes; a second call does nothing. */
  start(): void {
    if (!this.#options.store.changes || this.#state !== "none" || this.#isClosed) return;
    this.#state = "opening";
    queueMicrotask(() => void this.#subscribe()); // the application attaches its listeners first
  }

  async #subscribe(): Promise<void> {
    const { store, heartbeatMs, clock } = this.#options;
    if (this.#isClosed) return;
    let isCut = false;
    const listener: FeedListener = {
      changed: (change) => this.#options.changed(change),
      told: (note) => this.#options.told(note),
      alive: (asOf) => {
        this.#aliveAt = asOf;
      },
      broken: (error) => {
        isCut = true;
        this.#broken(error);
      },
      missed: () => void this.#catchUp(),
    };
    try {
      this.#unsubscribe = await store.changes?.(listener, { heartbeatMs });
      if (this.#isClosed)
        await this.#unsubscribe?.(); // `close` does not wait for a subscription that may never be made
      else if (!isCut) void this.#catchUp();
    } catch (error) {
      if (this.#isClosed) return; // the store may have been closed while it opened the feed
      this.#broken(error);
      clock.after(retryMs, () => void this.#subscribe());
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
    this.#announce("broken");
  }

  #gap(state: "opening" | "broken"): number {
    const { asOf } = this;
    this.#state = state;
    this.#options.gap(asOf);
    return ++this.#gaps;
  }

  /** The feed counts as whole only after the doubtful sessions have been read. */
  async #catchUp(): Promise<void> {
    const gap = this.#gap(this.#state === "opening" ? "opening" : "broken");
    while (!(await this.#options.catchUp())) {
      if (gap !== this.#gaps) return;
      this.#state = "broken";
      await pause(this.#options.clock, retryMs);
      if (gap !== this.#gaps) return;
    }
    if (gap !== this.#gaps) return;
    this.#state = "whole";
    this.#reported = undefined;
    this.#options.whole();
    this.#announce("whole");
  }

  /** Once for each outage, and after the state has taken effect: a listener may send to sockets. */
  #announce(state: "whole" | "broken"): void {
    if (state === this.#announced) return;
    this.#announced = state;
    this.#options.became(state);
  }
}
