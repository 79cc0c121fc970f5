/**
 * A change feed that comes over a network: keeps one connection of its own to the database while somebody listens, and
 * says when changes may have been missed.
 *
 * - A connection counts once a sign of life has travelled through the database and back: one that is deaf (a pooler, a
 *   half-open socket) is found, not hoped for. It is asked for another one every `heartbeatMs`.
 * - One that breaks, or stays silent for twice as long, is `broken`; it is opened anew, again and again, and when it is
 *   back listeners are told `missed`.
 */
import { randomUUID } from "node:crypto";
import { type Clock, randomOf } from "../../base/clock.ts";
import { SocketSessionError } from "../../base/errors.ts";
import type { FeedListener, FeedOptions, SessionChange, Unsubscribe } from "../../session-store.ts";
import { FeedListeners } from "./feed-listeners.ts";
import { beatMessage, readMessage } from "./messages.ts";

/** What a connection tells. Ignored once it is closed. */
export interface FeedSink {
  /** A message of `change-message.ts`, published by any node. */
  message(text: string): void;
  /** What the database itself tells of a session. */
  changed(change: SessionChange): void;
  /** Everything published before `asOf` has been told. */
  alive(asOf: number): void;
  /** Something may have been missed, but nothing is from now on. */
  missed(): void;
  /** The connection is of no more use. */
  down(error: unknown): void;
}

export interface FeedConnection {
  close(): Promise<void>;
}

export interface FeedSource {
  /**
   * Opens a connection that hears all that is published after it has resolved. `signal` is aborted when the connection is
   * of no more use, also while it is being opened, so that one that gets no answer need not stay.
   */
  open(sink: FeedSink, options: FeedOptions, signal: AbortSignal): Promise<FeedConnection>;
  /** Publishes through the database, by another connection. Absent where the connection calls `alive` by itself. */
  publish?(text: string): Promise<void>;
  /** For the error of a feed that stays silent: what may be the reason. */
  readonly silenceCure: string;
}

const firstRetryMs = 100;
const longestRetryMs = 2_000;

export class RemoteFeed {
  readonly #source: FeedSource;
  readonly #clock: Clock;
  readonly #listeners = new FeedListeners();
  #current: Link | undefined;
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
    const link = new Link(this.#source, this.#clock, this.#heartbeatMs, {
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

type Events = Omit<FeedSink, "message">;

/** One connection, from the attempt to open it until it is closed. */
class Link {
  readonly #source: FeedSource;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #events: Events;
  readonly #beats = new Map<string, number>();
  readonly #use = new AbortController();
  readonly #opened: { resolve(): void; reject(error: unknown): void; readonly promise: Promise<void> };
  #connection: Promise<FeedConnection> | undefined;
  #closed = false;
  #isConnected = false;
  #isOpen = false;
  #cancelBeat: (() => void) | undefined;
  #cancelSilence: (() => void) | undefined;

  constructor(source: FeedSource, clock: Clock, heartbeatMs: number, events: Events) {
    this.#source = source;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#events = events;
    this.#opened = Promise.withResolvers<void>();
  }

  /** Resolves at the first sign of life. */
  async open(): Promise<void> {
    this.#opened.promise.catch(() => {}); // awaited below, if it comes to that
    this.#listenForSilence();
    this.#connection = this.#source.open(
      {
        message: (text) => this.#message(text),
        changed: (change) => this.#whileOpen(() => this.#events.changed(change)),
        alive: (asOf) => this.#alive(asOf),
        missed: () => this.#whileOpen(() => this.#events.missed()),
        down: (error) => this.#down(error),
      },
      { heartbeatMs: this.#heartbeatMs },
      this.#use.signal,
    );
    this.#connection.then(
      () => {
        this.#isConnected = true;
        this.#beat();
      },
      (error: unknown) => this.#down(error),
    );
    await this.#opened.promise;
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelBeat?.();
    this.#cancelSilence?.();
    this.#beats.clear();
    this.#opened.reject(new Error("The feed was closed."));
    this.#use.abort();
    // A connection that can't be opened, or closed, is gone as well. One that is late is closed when it comes: a database
    // that does not answer holds nobody up.
    const closing = this.#connection?.then((connection) => connection.close()).catch(() => {});
    if (this.#isConnected) await closing;
  }

  /** What comes before the first sign of life is of before anybody listened, or of before they are told `missed`. */
  #whileOpen(tell: () => void): void {
    if (this.#isOpen && !this.#closed) tell();
  }

  #message(text: string): void {
    if (this.#closed) return;
    const message = readMessage(text);
    if (message.kind === "change") this.#whileOpen(() => this.#events.changed(message.change));
    else if (message.kind !== "beat") this.#whileOpen(() => this.#events.missed());
    else {
      const sentAt = this.#beats.get(message.beat);
      if (sentAt !== undefined) this.#alive(sentAt);
      this.#beats.delete(message.beat);
    }
  }

  #alive(asOf: number): void {
    if (this.#closed) return;
    this.#listenForSilence();
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#opened.resolve();
    }
    this.#events.alive(asOf);
  }

  #beat(): void {
    if (this.#closed || !this.#source.publish) return;
    const beat = randomUUID();
    this.#beats.set(beat, this.#clock.now());
    this.#source.publish(beatMessage(beat)).catch((error: unknown) => this.#down(error));
    this.#cancelBeat = this.#clock.after(this.#heartbeatMs, () => this.#beat());
  }

  #listenForSilence(): void {
    this.#cancelSilence?.();
    this.#cancelSilence = this.#clock.after(2 * this.#heartbeatMs, () => {
      const message = `Expected a sign of life on the change feed, but there was none for ${Math.round(2 * this.#heartbeatMs)} ms. `;
      this.#down(new SocketSessionError("STORE_TIMEOUT", message + this.#source.silenceCure));
    });
  }

  #down(error: unknown): void {
    if (this.#closed) return;
    if (this.#isOpen) this.#events.down(error);
    else this.#opened.reject(error);
  }
}
