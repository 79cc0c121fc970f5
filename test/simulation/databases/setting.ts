/**
 * Two processes, `n0` and `n1`, with a store each over one simulated database: a test runs the world for a while, or until
 * a promise has settled.
 *
 * ```ts
 * const { stores, routes, world, settled, listen } = new Setting(postgres, "a seed");
 * await settled(stores[0].create(key, document, expiresAt));
 * ```
 */
import type { SessionStore } from "../../../src/core/session-store.ts";
import { Heard } from "../../stores/heard.ts";
import { Ledger } from "../ledger.ts";
import type { Route } from "../network.ts";
import { epochMs, SimulatedProcess } from "../process.ts";
import { World } from "../world.ts";
import type { Database, DatabaseKind } from "./database.ts";

const heartbeatMs = 1_000;

export class Setting {
  readonly world: World;
  readonly database: Database;
  readonly processes: readonly [SimulatedProcess, SimulatedProcess];
  readonly routes: readonly [Route, Route];
  readonly stores: readonly [SessionStore, SessionStore];

  constructor(kind: DatabaseKind, seed: string) {
    const world = new World(seed);
    const database = kind.make(world, new Ledger(world.trace));
    const process = (name: string) => new SimulatedProcess(world, name);
    const route = (from: SimulatedProcess) =>
      database.server.route(from, { latencyMs: [1, 5], lostReplies: 0 });
    this.world = world;
    this.database = database;
    this.processes = [process("n0"), process("n1")];
    this.routes = [route(this.processes[0]), route(this.processes[1])];
    this.stores = [
      database.open(this.processes[0], this.routes[0]),
      database.open(this.processes[1], this.routes[1]),
    ];
  }

  /** Milliseconds since the epoch, in a while. */
  readonly later = (ms = 3_600_000): number => epochMs + this.world.now + ms;

  /** Runs the world for so long. */
  readonly run = (ms: number): Promise<void> => this.world.run(this.world.now + ms);

  /** Runs the world until `work` has settled, as it does. */
  readonly settled = async <T>(work: Promise<T>): Promise<T> => {
    let isSettled = false;
    const settle = () => {
      isSettled = true;
    };
    work.then(settle, settle);
    for (let ms = 0; !isSettled && ms < 120_000; ms += 1) await this.run(1);
    if (!isSettled) throw new Error("Expected it to settle within two minutes of simulated time.");
    return work;
  };

  /** What the store of `n1` is told. */
  readonly listen = async (): Promise<Heard> => {
    const heard = new Heard();
    const { changes } = this.stores[1];
    if (!changes) throw new Error("Expected a store with a feed.");
    await this.settled(changes.call(this.stores[1], heard, { heartbeatMs }));
    return heard;
  };
}
