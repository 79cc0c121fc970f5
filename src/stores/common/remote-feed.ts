/**
 * A change feed that comes over a network: keeps one connection of its own to the database while somebody listens, and
 * says when changes may have been missed.
 *
 * - A connection counts once a sign of life has travelled through the database and back: one that is deaf (a pooler, a
 *   half-open socket) is found, not hoped for. It is asked for another one every `heartbeatMs`.
 * - One that breaks, or stays silent for twice as long, is `broken`; it is opened anew, again and again, and when it is
 *   back listeners are told `missed`.
 */
import { type Clock, randomOf } from "../../base/clock.ts";
import type { FeedListener, FeedOptions, Unsubscribe } from "../../session-store.ts";
import { FeedLink } from "./feed-link.ts";
import { FeedListeners } from "./feed-listeners.ts";
import type { FeedSource } from "./feed-source.ts";

const firstRetryMs = 100;
const longestRetryMs = 2_000;

export class RemoteFeed {
  readonly #source: FeedSource;
  readonly #clock: Clock;
  readonly #listeners = new FeedListeners();
  #current: FeedLink | undefined;
  #whole: Promise<void> | undefined;
  #heartbeatMs = 10_000;
  #failures = 0;
  #aliveAt = Number.NEGATIVE_INFINITY;
  #cancelRetry: (() => void) | undefined;
  #closing: Promise<void> = Promise.resolve();

  constructor(source: FeedSource, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Resolves once nothing can be missed silently; rejects if there is no connection to be had now. */
  async listen(listener: FeedListener, { heartbeatMs }: FeedOptions): Promise<Unsubscribe> {
    this.#heartbeatMs = heartbeatMs;
    const remove = this.#listeners.add(listener);
    const leave = async () => {
      remove();
      if (this.#listeners.size === 0) await this.close();
    };
    try {
      this.#whole ??= this.#connect();
      await this.#whole;
      listener.alive?.(this.#aliveAt);
    } catch (error) {
      await leave();
      throw error;
    }
    return leave;
  }

  /** Ends the connection, and the attempts to have one. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#whole = undefined;
    this.#failures = 0;
    this.#drop();
    await this.#closing;
  }

  async #connect(): Promise<void> {
    const openedAt = this.#clock.now();
    const link = new FeedLink(this.#source, this.#clock, this.#heartbeatMs, {
      changed: (change) => this.#listeners.changed(change),
      alive: (asOf) => {
        this.#aliveAt = asOf;
        // One that breaks again and again is opened ever less often, although it opens each time.
        if (asOf - openedAt >= this.#heartbeatMs) this.#failures = 0;
        this.#listeners.alive(asOf);
      },
      missed: () => this.#listeners.missed(),
      down: (error) => {
        if (this.#current === link) this.#lost(error);
      },
    });
    this.#current = link;
    try {
      await link.open();
    } catch (error) {
      if (this.#current === link) this.#drop();
      throw error;
    }
  }

  #drop(): void {
    const link = this.#current;
    this.#current = undefined;
    if (link) this.#closing = Promise.all([this.#closing, link.close()]).then(() => undefined);
  }

  #lost(error: unknown): void {
    this.#drop();
    this.#listeners.broken(error);
    this.#retry(error);
  }

  #retry(error: unknown): void {
    const failed = Promise.reject(error);
    failed.catch(() => {}); // whoever listens anew meanwhile is told
    this.#whole = failed;
    const delayMs = Math.min(firstRetryMs * 2 ** this.#failures, longestRetryMs);
    this.#failures++;
    this.#cancelRetry = this.#clock.after(delayMs * (0.5 + randomOf(this.#clock) / 2), () => {
      const whole = this.#connect();
      this.#whole = whole;
      whole.then(
        () => {
          if (this.#whole === whole) this.#listeners.missed();
        },
        (failure: unknown) => {
          if (this.#whole === whole) this.#retry(failure);
        },
      );
    });
  }
}
