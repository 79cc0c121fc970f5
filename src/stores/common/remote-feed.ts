/**
 * A change feed over a network: keeps one connection of its own to the database while it has listeners, and reports when
 * changes may have been missed.
 *
 * - A connection counts as open once a beat has travelled through the database and back, and beats repeat every
 *   `heartbeatMs`. So a connection that receives nothing (a pooler, a half-open socket) is detected.
 * - A connection that fails, or is silent for twice that time, is `broken`. The feed reconnects until it succeeds, and
 *   then calls `missed`.
 */
import { type Clock, randomOf } from "../../base/clock.ts";
import type { FeedListener, FeedOptions, Unsubscribe } from "../../session-store.ts";
import { FeedLink } from "./feed-link.ts";
import { FeedListeners } from "./feed-listeners.ts";
import type { FeedSource } from "./feed-source.ts";

const firstRetryMs = 100;
const maxRetryMs = 2_000;

export class RemoteFeed {
  readonly #source: () => FeedSource | Promise<FeedSource>;
  readonly #clock: Clock;
  readonly #listeners = new FeedListeners();
  #current: FeedLink | undefined;
  /** The first attempt to connect; it never rejects. */
  #first: Promise<void> | undefined;
  /** Why there is no connection, from a failure until the next connection. */
  #failure: { readonly error: unknown } | undefined;
  #heartbeatMs = 10_000;
  /** Consecutive failures. */
  #failures = 0;
  #aliveAt = Number.NEGATIVE_INFINITY;
  #cancelRetry: (() => void) | undefined;
  #closing: Promise<void> = Promise.resolve();

  /** `source` is called at each attempt: it may have to ask the database what it supports. */
  constructor(source: () => FeedSource | Promise<FeedSource>, clock: Clock) {
    this.#source = source;
    this.#clock = clock;
  }

  /** Resolves when the first attempt has succeeded, or has failed and `broken` has been called. Never rejects. */
  async listen(listener: FeedListener, { heartbeatMs }: FeedOptions): Promise<Unsubscribe> {
    this.#heartbeatMs = heartbeatMs;
    const known = this.#failure;
    const remove = this.#listeners.add(listener);
    this.#first ??= this.#connect();
    if (known) listener.broken(known.error);
    else await this.#first;
    if (!this.#failure && this.#current) listener.alive?.(this.#aliveAt);
    return async () => {
      remove();
      if (this.#listeners.size === 0) await this.close();
    };
  }

  /** Ends the connection, and the attempts to open one. */
  async close(): Promise<void> {
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#first = undefined;
    this.#failure = undefined;
    this.#failures = 0;
    this.#drop();
    await this.#closing;
  }

  async #connect(): Promise<void> {
    const openedAt = this.#clock.now();
    const link = new FeedLink(this.#source, this.#clock, this.#heartbeatMs, {
      changed: (change) => this.#listeners.changed(change),
      told: (note) => this.#listeners.told(note),
      alive: (asOf) => {
        this.#aliveAt = asOf;
        // Opening alone does not reset the delay: a connection that keeps breaking is retried less and less often.
        if (asOf - openedAt >= this.#heartbeatMs) this.#failures = 0;
        this.#listeners.alive(asOf);
      },
      missed: () => this.#listeners.missed(),
      down: (error) => this.#lost(link, error),
    });
    this.#current = link;
    try {
      await link.open();
    } catch (error) {
      this.#lost(link, error);
      return;
    }
    if (this.#current !== link || !this.#failure) return;
    this.#failure = undefined;
    this.#listeners.missed();
  }

  #drop(): void {
    const link = this.#current;
    this.#current = undefined;
    if (link) this.#closing = Promise.all([this.#closing, link.close()]).then(() => undefined);
  }

  #lost(link: FeedLink, error: unknown): void {
    if (this.#current !== link) return;
    this.#drop();
    const isNew = this.#failure === undefined;
    this.#failure = { error };
    if (isNew) this.#listeners.broken(error);
    const delayMs = Math.min(firstRetryMs * 2 ** this.#failures, maxRetryMs);
    this.#failures++;
    this.#cancelRetry = this.#clock.after(
      delayMs * (0.5 + randomOf(this.#clock) / 2),
      () => void this.#connect(),
    );
  }
}
