/**
 * A client of the shape and the manners of the package `redis` (node-redis 5 and 6), as far as the store depends on them:
 * it connects again by itself and subscribes again, commands wait for that, and what was sent and not answered is
 * rejected. One that is destroyed while it dials gets its connection all the same.
 */
import { EventEmitter } from "node:events";
import type { Random } from "../../world/random.ts";
import type { Route } from "../../world/route.ts";
import { CommandQueue } from "./command-queue.ts";
import type { Reply } from "./reply.ts";
import type { Pushed, RedisServer } from "./server.ts";
import { RedisWire } from "./wire.ts";

type Listener = (text: string, channel: string) => void;

const connectTimeoutMs = 5_000;

export class SimulatedNodeRedis extends EventEmitter {
  readonly options = { database: 0 };
  readonly #server: RedisServer;
  readonly #route: Route;
  readonly #random: Random;
  readonly #queue = new CommandQueue({ resends: false });
  readonly #listenersByChannel = new Map<string, Listener>();
  readonly #listenersByPattern = new Map<string, Listener>();
  #wire: RedisWire | undefined;
  #isOpen = false;
  #isReady = false;

  constructor(server: RedisServer, route: Route, random: Random) {
    super();
    this.#server = server;
    this.#route = route;
    this.#random = random;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  duplicate(): SimulatedNodeRedis {
    return new SimulatedNodeRedis(this.#server, this.#route, this.#random);
  }

  async connect(): Promise<this> {
    if (this.#isOpen) throw new Error("Socket already opened");
    this.#isOpen = true;
    await this.#connect(0);
    return this;
  }

  async sendCommand(command: string[]): Promise<Reply> {
    if (!this.#isOpen) throw new Error("The client is closed");
    return this.#queue.add(command);
  }

  async subscribe(channel: string, listener: Listener): Promise<void> {
    this.#listenersByChannel.set(channel, listener);
    await this.sendCommand(["SUBSCRIBE", channel]);
  }

  async pSubscribe(pattern: string, listener: Listener): Promise<void> {
    this.#listenersByPattern.set(pattern, listener);
    await this.sendCommand(["PSUBSCRIBE", pattern]);
  }

  destroy(): void {
    this.#queue.fail(new Error("Disconnects client"));
    if (!this.#isOpen && !this.#wire) return;
    this.#isOpen = false;
    this.#lose()?.close();
    this.emit("end");
  }

  async #connect(retries: number): Promise<void> {
    let delayMs = retryDelayMs(retries, this.#random);
    do {
      try {
        await this.#dial();
      } catch (error) {
        if (!this.#isOpen) throw error;
        this.emit("error", error);
        if (!this.#isOpen) throw error;
        await this.#pause(delayMs);
        if (!this.#isOpen) throw error;
        delayMs = retryDelayMs(++retries, this.#random);
        this.emit("reconnecting");
      }
    } while (this.#isOpen && !this.#isReady);
  }

  async #dial(): Promise<void> {
    const wire = await RedisWire.dial(this.#server, this.#route, connectTimeoutMs, (pushed) =>
      this.#receive(pushed),
    );
    this.#wire = wire;
    wire.onDown((error) => this.#down(wire, error));
    this.emit("connect");
    try {
      await this.#initiate(wire);
    } catch (error) {
      this.#lose()?.close();
      throw error;
    }
    this.#isReady = true;
    this.#queue.attach(wire);
    this.emit("ready");
  }

  async #initiate(wire: RedisWire): Promise<void> {
    const subscriptions = [
      ...[...this.#listenersByChannel.keys()].map((channel) => ["SUBSCRIBE", channel]),
      ...[...this.#listenersByPattern.keys()].map((pattern) => ["PSUBSCRIBE", pattern]),
    ];
    for (const answer of await wire.exchange([["HELLO", "3"], ...subscriptions]))
      if ("error" in answer) throw answer.error;
  }

  #down(wire: RedisWire, error: Error): void {
    if (this.#wire !== wire || !this.#isReady) return; // else the code that initiated it reports the error
    this.#lose();
    this.emit("error", error);
    if (!this.#isOpen) return;
    this.emit("reconnecting");
    this.#connect(1).catch(() => {}); // it has been emitted
  }

  #lose(): RedisWire | undefined {
    const wire = this.#wire;
    this.#wire = undefined;
    this.#isReady = false;
    this.#queue.detach();
    return wire;
  }

  #receive({ pattern, channel, text }: Pushed): void {
    const listener =
      pattern === undefined ? this.#listenersByChannel.get(channel) : this.#listenersByPattern.get(pattern);
    listener?.(text, channel);
  }

  #pause(ms: number): Promise<void> {
    const { world, process } = this.#route;
    return new Promise((resolve) => world.after(ms, resolve, process));
  }
}

function retryDelayMs(retries: number, random: Random): number {
  return Math.min(2 ** retries * 50, 2_000) + random.int(0, 199);
}
