import type { Clock } from "../clock.ts";
import type { SessionChange, SessionStore, Unsubscribe } from "./session-store.ts";

/** `none`: the store has no change feed. `broken`: changes may be missed at the moment. */
export type FeedState = "none" | "whole" | "broken";

export interface FeedHandlers {
  changed(change: SessionChange): void;
  /** Changes may be missed from now on. */
  broken(error: unknown): void;
  /** Nothing is missed any more, but something may have been. */
  whole(): void;
}

const retryMs = 1_000;

/** The hub's subscription to its store's change feed. */
export class Feed {
  readonly #store: SessionStore;
  readonly #clock: Clock;
  readonly #handlers: FeedHandlers;
  #closed = false;
  #state: FeedState = "none";
  #subscription: Promise<Unsubscribe | undefined> | undefined;

  constructor(store: SessionStore, clock: Clock, handlers: FeedHandlers) {
    this.#store = store;
    this.#clock = clock;
    this.#handlers = handlers;
  }

  get state(): FeedState {
    return this.#state;
  }

  start(): void {
    if (!this.#store.changes || this.#subscription || this.#closed) return;
    this.#state = "broken";
    const subscribed = this.#store.changes(
      {
        changed: (change) => this.#handlers.changed(change),
        broken: (error) => this.#broken(error),
        missed: () => this.#whole(),
      },
      { heartbeatMs: 10_000 },
    );
    this.#subscription = subscribed.then(
      (unsubscribe) => {
        this.#whole();
        return unsubscribe;
      },
      (error: unknown) => {
        this.#broken(error);
        this.#subscription = undefined;
        this.#clock.after(retryMs, () => this.start());
        return undefined;
      },
    );
  }

  async close(): Promise<void> {
    this.#closed = true;
    const unsubscribe = await this.#subscription;
    await unsubscribe?.();
  }

  #broken(error: unknown): void {
    this.#state = "broken";
    this.#handlers.broken(error);
  }

  #whole(): void {
    this.#state = "whole";
    this.#handlers.whole();
  }
}
