/**
 * One connection of a change feed, from the attempt to open it until it is closed. It counts as open and alive while its
 * beats, messages that it publishes, come back to it through the database.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../base/clock.ts";
import { SocketSessionError } from "../../base/errors.ts";
import type { FeedConnection, FeedSink, FeedSource } from "./feed-source.ts";
import { beatMessage, readMessage } from "./messages.ts";

interface Beat {
  readonly sentAt: number;
  /** How many copies have yet to come back. Below 0 if some came before their number was known. */
  missing: number;
}

export class FeedLink {
  readonly #findSource: () => FeedSource | Promise<FeedSource>;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #events: Omit<FeedSink, "message">;
  readonly #beats = new Map<string, Beat>();
  readonly #use = new AbortController();
  readonly #opened: { resolve(): void; reject(error: unknown): void; readonly promise: Promise<void> };
  #source: FeedSource | undefined;
  #connection: Promise<FeedConnection> | undefined;
  #closed = false;
  #isConnected = false;
  #isOpen = false;
  #cancelBeat: (() => void) | undefined;
  #cancelSilence: (() => void) | undefined;

  constructor(
    findSource: () => FeedSource | Promise<FeedSource>,
    clock: Clock,
    heartbeatMs: number,
    events: Omit<FeedSink, "message">,
  ) {
    this.#findSource = findSource;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#events = events;
    this.#opened = Promise.withResolvers<void>();
  }

  /** Resolves at the first beat. */
  async open(): Promise<void> {
    this.#opened.promise.catch(() => {}); // awaited below
    this.#watchForSilence();
    this.#connection = this.#connect();
    this.#connection.then(
      () => {
        this.#isConnected = true;
        this.#beat();
      },
      (error: unknown) => this.#down(error),
    );
    await this.#opened.promise;
  }

  async #connect(): Promise<FeedConnection> {
    this.#source = await this.#findSource();
    const sink: FeedSink = {
      message: (text) => this.#message(text),
      changed: (change) => this.#whileOpen(() => this.#events.changed(change)),
      alive: (asOf) => this.#alive(asOf),
      missed: () => this.#whileOpen(() => this.#events.missed()),
      down: (error) => this.#down(error),
    };
    return this.#source.open(sink, { heartbeatMs: this.#heartbeatMs }, this.#use.signal);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#cancelBeat?.();
    this.#cancelSilence?.();
    this.#beats.clear();
    this.#opened.reject(new Error("The feed was closed."));
    this.#use.abort();
    // If opening or closing fails, the connection is gone as well. A connection that opens late is closed then: a
    // database that does not answer does not delay the caller.
    const closing = this.#connection?.then((connection) => connection.close()).catch(() => {});
    if (this.#isConnected) await closing;
  }

  /** Changes before the first beat are dropped: they precede the subscription, or the call of `missed` that follows. */
  #whileOpen(deliver: () => void): void {
    if (this.#isOpen && !this.#closed) deliver();
  }

  #message(text: string): void {
    if (this.#closed) return;
    const message = readMessage(text);
    if (message.kind === "change") this.#whileOpen(() => this.#events.changed(message.change));
    else if (message.kind !== "beat") this.#whileOpen(() => this.#events.missed());
    else this.#count(message.beat, -1);
  }

  #alive(asOf: number): void {
    if (this.#closed) return;
    this.#watchForSilence();
    if (!this.#isOpen) {
      this.#isOpen = true;
      this.#opened.resolve();
    }
    this.#events.alive(asOf);
  }

  #beat(): void {
    if (this.#closed || !this.#source?.publish) return;
    const beat = randomUUID();
    this.#beats.set(beat, { sentAt: this.#clock.now(), missing: 0 });
    this.#source.publish(beatMessage(beat)).then(
      (copies) => this.#count(beat, copies),
      (error: unknown) => this.#down(error),
    );
    this.#cancelBeat = this.#clock.after(this.#heartbeatMs, () => this.#beat());
  }

  /** Copies may come back before `publish` resolves to their number. */
  #count(name: string, copies: number): void {
    const beat = this.#beats.get(name);
    if (!beat) return;
    beat.missing += copies;
    if (beat.missing !== 0) return;
    this.#beats.delete(name);
    this.#alive(beat.sentAt);
  }

  #watchForSilence(): void {
    this.#cancelSilence?.();
    this.#cancelSilence = this.#clock.after(2 * this.#heartbeatMs, () => {
      const message = `Expected a sign of life on the change feed, but there was none for ${Math.round(2 * this.#heartbeatMs)} ms. `;
      this.#down(
        new SocketSessionError(
          "STORE_TIMEOUT",
          message + (this.#source?.silenceCure ?? "Look at the connection to the database."),
        ),
      );
    });
  }

  #down(error: unknown): void {
    if (this.#closed) return;
    if (this.#isOpen) this.#events.down(error);
    else this.#opened.reject(error);
  }
}
