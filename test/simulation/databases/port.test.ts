/** The promises of the store port, over each simulated database: so is shown that it does what the real one does. */
import { describeStore, type StoreHarness, type StoreTraits } from "../../stores/conformance.ts";
import { Ledger } from "../ledger.ts";
import { epochMs, SimulatedProcess } from "../process.ts";
import { World } from "../world.ts";
import type { DatabaseKind } from "./database.ts";
import { databaseKind } from "./kinds.ts";

const common = { atomic: true, feed: true, timePasses: true, users: true, manySessions: 200 };
const ofRedis = { ...common, uniqueRevisions: false, exactExpiry: false };

/** Of Redis without keyspace events: those publish more than the port asks for, such as the end of a session's time. */
const tested: readonly (readonly [name: string, traits: StoreTraits])[] = [
  ["redis, node-redis", ofRedis],
  ["redis, ioredis", ofRedis],
  ["sqlite", { ...common, uniqueRevisions: true, exactExpiry: false }],
];

for (const [name, traits] of tested)
  describeStore(name, traits, async () => new SimulatedHarness(databaseKind(name)));

/** Lets the time of the world go on by itself, as fast as it can. */
class SimulatedHarness implements StoreHarness {
  readonly #world = new World(1);
  readonly #database;
  readonly #running: Promise<void>;
  #opened = 0;
  #isOver = false;
  #until = 0;

  constructor(kind: DatabaseKind) {
    this.#database = kind.make(this.#world, new Ledger(this.#world.trace));
    this.#running = this.#run();
  }

  open() {
    const process = new SimulatedProcess(this.#world, `process ${this.#opened++}`);
    const route = this.#database.server.route(process, { latencyMs: [1, 2], lostReplies: 0 });
    return this.#database.open(process, route);
  }

  now(): number {
    return Math.floor(epochMs + this.#world.now);
  }

  async advance(ms: number): Promise<void> {
    this.#until = this.#world.now + ms;
    while (this.#world.now < this.#until) await new Promise((resolve) => setImmediate(resolve));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#database.close?.();
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#world.run(Math.max(this.#until, this.#world.now + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
