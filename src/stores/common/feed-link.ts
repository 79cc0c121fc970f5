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
  /** The copies that came back. A client may publish one twice, if the answer was lost. */
  readonly arrived: Set<string>;
  /** How many there are; undefined until they are published. */
  copies: number | undefined;
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
    this.#use.signal.throwIfAborted();
    const sink: FeedSink = {
      message: (text) => this.#message(text),
      changed: (change) => void (this.#receives && this.#events.changed(change)),
      told: (note) => void (this.#receives && this.#events.told(note)),
      alive: (asOf) => this.#alive(asOf),
      missed: () => void (this.#receives && this.#events.missed()),
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
  get #receives(): boolean {
    return this.#isOpen && !this.#closed;
  }

  #message(text: string): void {
    if (this.#closed) return;
    const message = readMessage(text);
    if (message.kind === "beat") this.#arrived(message.beat);
    else if (!this.#receives) return;
    else if (message.kind === "change") this.#events.changed(message.change);
    else if (message.kind === "note") this.#events.told(message.note);
    else this.#events.missed();
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
    const name = randomUUID();
    const beat: Beat = { sentAt: this.#clock.now(), arrived: new Set(), copies: undefined };
    this.#beats.set(name, beat);
    this.#source
      .publish((copy) => beatMessage(`${name} ${copy}`))
      .then(
        (copies) => {
          beat.copies = copies;
          this.#check(name, beat);
        },
        (error: unknown) => this.#down(error),
      );
    this.#cancelBeat = this.#clock.after(this.#heartbeatMs, () => this.#beat());
  }

  /** A copy may come back before `publish` resolves. */
  #arrived(copy: string): void {
    const name = copy.split(" ", 1)[0] ?? "";
    const beat = this.#beats.get(name);
    if (!beat) return;
    beat.arrived.add(copy);
    this.#check(name, beat);
  }

  #check(name: string, { sentAt, arrived, copies }: Beat): void {
    if (arrived.size !== copies || !this.#beats.delete(name)) return;
    this.#alive(sentAt);
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
