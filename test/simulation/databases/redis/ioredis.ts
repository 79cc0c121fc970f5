/**
 * A client of the shape and the manners of the package `ioredis` (5 and 6), as far as the store depends on them: it
 * connects by itself, again and again, subscribes again, and sends again what was not answered. `connectionEpoch` counts
 * the attempts.
 */

import type { Random } from "../../world/random.ts";
import type { Route } from "../../world/route.ts";
import { CommandQueue } from "./command-queue.ts";
import type { Reply } from "./reply.ts";
import type { Pushed, RedisServer } from "./server.ts";
import { RedisWire } from "./wire.ts";

export interface IoRedisOptions {
  readonly lazyConnect?: boolean;
  /** How long to wait before the attempt of this number; null: it ends. */
  readonly retryStrategy?: (attempt: number) => number | null;
}

type Status = "wait" | "connecting" | "connect" | "ready" | "close" | "reconnecting" | "end";

const connectTimeoutMs = 10_000;
const mostRetries = 20;

type Listener = (...args: never[]) => void;

export class SimulatedIoRedis {
  readonly isCluster = false;
  readonly options = { db: 0, keyPrefix: "" };
  status: Status = "wait";
  connectionEpoch = 0;
  readonly #server: RedisServer;
  readonly #route: Route;
  readonly #random: Random;
  readonly #retryStrategy: (attempt: number) => number | null;
  readonly #queue = new CommandQueue({ resends: true });
  readonly #listeners: { readonly event: string; readonly listener: Listener }[] = [];
  readonly #channels = new Set<string>();
  readonly #patterns = new Set<string>();
  #wire: RedisWire | undefined;
  #attempts = 0;
  #isClosing = false;
  #settleConnect: { resolve(): void; reject(error: Error): void } | undefined;

  constructor(server: RedisServer, route: Route, random: Random, options: IoRedisOptions = {}) {
    this.#server = server;
    this.#route = route;
    this.#random = random;
    this.#retryStrategy = options.retryStrategy ?? ((attempt) => this.#retryDelayMs(attempt));
    if (!options.lazyConnect) this.#connectQuietly();
  }

  duplicate(options: IoRedisOptions): SimulatedIoRedis {
    return new SimulatedIoRedis(this.#server, this.#route, this.#random, options);
  }

  on(event: string, listener: Listener): this {
    this.#listeners.push({ event, listener });
    return this;
  }

  /** Resolves once it is ready; rejects when this attempt fails. */
  connect(): Promise<void> {
    if (["connecting", "connect", "ready"].includes(this.status))
      return Promise.reject(new Error("Redis is already connecting/connected"));
    this.connectionEpoch++;
    this.#setStatus("connecting");
    const settled = new Promise<void>((resolve, reject) => {
      this.#settleConnect = { resolve, reject };
    });
    void this.#dial();
    return settled;
  }

  async call(name: string, args: string[]): Promise<Reply> {
    if (this.status === "wait") this.#connectQuietly();
    if (this.status === "end") throw new Error("Connection is closed.");
    return this.#queue.add([name, ...args]);
  }

  async subscribe(channel: string): Promise<void> {
    await this.call("SUBSCRIBE", [channel]);
    this.#channels.add(channel);
  }

  async psubscribe(pattern: string): Promise<void> {
    await this.call("PSUBSCRIBE", [pattern]);
    this.#patterns.add(pattern);
  }

  disconnect(): void {
    this.#isClosing = true;
    const wire = this.#wire;
    if (this.status === "wait" || this.status === "reconnecting")
      this.#closed(new Error("Connection is closed."));
    else if (wire) {
      wire.close();
      const { world, process } = this.#route;
      world.after(0, () => this.#down(wire, new Error("Connection is closed.")), process);
    }
  }

  async #dial(): Promise<void> {
    try {
      const { connectionEpoch } = this;
      const wire = await RedisWire.dial(this.#server, this.#route, connectTimeoutMs, (pushed) =>
        this.#receive(pushed),
      );
      if (this.#isClosing || connectionEpoch !== this.connectionEpoch) {
        wire.close();
        throw new Error("Connection is closed.");
      }
      this.#wire = wire;
      wire.onDown((error) => this.#down(wire, error));
      this.#setStatus("connect");
      await this.#handshake(wire);
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(String(error));
      if (this.status === "connecting") this.#closed(failure);
    }
  }

  /** One that fails has lost its connection, or loses it. */
  async #handshake(wire: RedisWire): Promise<void> {
    const subscriptions = [
      ...[...this.#channels].map((channel) => ["SUBSCRIBE", channel]),
      ...[...this.#patterns].map((pattern) => ["PSUBSCRIBE", pattern]),
    ];
    try {
      const answers = await wire.exchange([["HELLO", "3"], ...subscriptions]);
      for (const answer of answers) if ("error" in answer) throw answer.error;
    } catch (error) {
      wire.close();
      this.#down(wire, error instanceof Error ? error : new Error(String(error)));
      return;
    }
    if (this.#wire !== wire || this.status !== "connect") return;
    this.#attempts = 0;
    this.#setStatus("ready");
    this.#queue.attach(wire);
    this.#settleConnect?.resolve();
  }

  #down(wire: RedisWire, error: Error): void {
    if (this.#wire !== wire) return;
    this.#wire = undefined;
    this.#closed(error);
  }

  #closed(error: Error): void {
    this.#queue.detach();
    if (!this.#isClosing) this.#emitSoon("error", error);
    this.#setStatus("close");
    this.#settleConnect?.reject(error);
    const delayMs = this.#isClosing ? null : this.#retryStrategy(++this.#attempts);
    if (delayMs === null) {
      this.#setStatus("end");
      this.#queue.fail(new Error("Connection is closed."));
      return;
    }
    this.#setStatus("reconnecting");
    const { world, process } = this.#route;
    world.after(delayMs, () => this.status === "reconnecting" && this.#connectQuietly(), process);
    if (this.#attempts % (mostRetries + 1) === 0)
      this.#queue.fail(new Error(`Reached the max retries per request limit (which is ${mostRetries}).`));
  }

  #connectQuietly(): void {
    this.connect().catch(() => {}); // it is emitted
  }

  #setStatus(status: Status): void {
    this.status = status;
    this.#emitSoon(status);
  }

  #emitSoon(event: string, ...args: unknown[]): void {
    process.nextTick(() => this.#emit(event, ...args));
  }

  #emit(event: string, ...args: unknown[]): void {
    for (const one of this.#listeners) if (one.event === event) Reflect.apply(one.listener, this, args);
  }

  #receive({ pattern, channel, text }: Pushed): void {
    if (pattern === undefined) this.#emit("message", channel, text);
    else this.#emit("pmessage", pattern, channel, text);
  }

  #retryDelayMs(attempt: number): number {
    return Math.min(2 ** (attempt - 1) * 50, 2_000) + this.#random.int(0, 199);
  }
}
