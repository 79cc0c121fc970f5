/** Runs the tests of the store port against each simulated database, which shows that it behaves like the real one. */
import type { Clock } from "../../../src/base/clock.ts";
import { describeStore, type StoreHarness, type StoreTraits } from "../../stores/conformance.ts";
import { Ledger } from "../ledger.ts";
import { epochMs, SimulatedProcess } from "../world/process.ts";
import { World } from "../world/world.ts";
import type { DatabaseKind } from "./database.ts";
import { databaseKind } from "./kinds.ts";

const common = {
  ...{ atomic: true, feed: true, users: true, tickets: true, notes: true },
  ...{ uniqueRevisions: false, exactExpiry: true },
};
const ofRedis = { ...common, exactExpiry: false, timePasses: true, manySessions: 200 };

/** Of Redis without keyspace events: those publish more than the port asks for, such as the end of a session's time. */
const tested: readonly (readonly [name: string, traits: StoreTraits])[] = [
  ["redis, node-redis", ofRedis],
  ["redis, ioredis", ofRedis],
  ["sqlite", { ...common, uniqueRevisions: true, exactExpiry: false }],
  ["postgres", { ...common, maxIdBytes: 2_600 }],
  ["mongodb", common],
  ["mongodb standalone", common],
];

for (const [name, traits] of tested)
  describeStore(name, traits, async () => new SimulatedHarness(databaseKind(name), traits));

/**
 * Lets the time of the world go on by itself, as fast as it can: much faster than a test looks at it, so the stores' own
 * timers are slowed down.
 */
const slowness = 50;

class SimulatedHarness implements StoreHarness {
  readonly #world = new World(1);
  readonly #database;
  readonly #running: Promise<void>;
  /** The time of all stores, where it does not pass: their own clocks decide that a session is over. */
  #now: number | undefined;
  #opened = 0;
  #isOver = false;
  #until = 0;

  constructor(kind: DatabaseKind, { timePasses = false }: StoreTraits) {
    this.#database = kind.make(this.#world, new Ledger(this.#world.trace));
    if (!timePasses) this.#now = epochMs;
    this.#running = this.#run();
  }

  open() {
    const process = new SimulatedProcess(this.#world, `process ${this.#opened++}`);
    const route = this.#database.server.route(process, { latencyMs: [1, 2], lostReplies: 0 });
    const { after } = process.clock;
    const clock: Clock = { now: () => this.now(), after: (ms, run) => after(slowness * ms, run) };
    return this.#database.open(Object.assign(process, { clock }), route);
  }

  now(): number {
    return this.#now ?? Math.floor(epochMs + this.#world.now);
  }

  async advance(ms: number): Promise<void> {
    if (this.#now !== undefined) this.#now += ms;
    else await this.#advanceWorld(ms);
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await this.#running;
    this.#database.close?.();
  }

  async #advanceWorld(ms: number): Promise<void> {
    this.#until = this.#world.now + ms;
    while (this.#world.now < this.#until) await new Promise((resolve) => setImmediate(resolve));
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      await this.#world.run(Math.max(this.#until, this.#world.now + 1));
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}
