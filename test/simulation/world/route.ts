/**
 * The route between a node and its database, over which connections run. Both directions have latency and keep their
 * order, unless the route says otherwise.
 *
 * - `silent`: nothing arrives, in either direction, and neither end notices. What is sent during that time arrives
 *   late if the route comes back soon (TCP sends it again), and never if it does not.
 * - `reset`: connections break, and new ones are refused.
 */
import { Connection, connectionError, patienceMs } from "./connection.ts";
import type { SimulatedProcess } from "./process.ts";
import type { Random } from "./random.ts";
import type { World } from "./world.ts";

export interface RouteOptions {
  /** Of each way, in milliseconds. */
  readonly latencyMs: readonly [low: number, high: number];
  /** How likely it is that an answer gets lost after the work was done: then the connection breaks. */
  readonly lostReplies: number;
  /** Whether calls and answers of one connection keep their order, as over TCP; what the server publishes always does. */
  readonly isOrdered: boolean;
}

/** The server at the other end, as far as the network asks it. */
export interface Server {
  /** Whether it takes new connections. */
  readonly accepts: boolean;
  /** Runs `work` now, later or not at all; with a failure, where that is all it can say. */
  admit(work: (failure?: Error) => void): void;
}

export class Route {
  readonly world: World;
  readonly process: SimulatedProcess;
  readonly server: Server;
  readonly connections = new Set<Connection>();
  readonly #random: Random;
  readonly #options: RouteOptions;
  #silentUntil = 0;
  #refusedUntil = 0;
  #deafUntil = 0;
  #lostReplies: number;

  constructor(world: World, process: SimulatedProcess, server: Server, options: RouteOptions) {
    this.world = world;
    this.process = process;
    this.server = server;
    this.#options = options;
    this.#lostReplies = options.lostReplies;
    this.#random = world.random.fork(`route ${process.name}`);
    process.onKill(() => this.reset());
  }

  silence(ms: number): void {
    this.#silentUntil = Math.max(this.#silentUntil, this.world.now + ms);
  }

  refuse(ms: number): void {
    this.#refusedUntil = Math.max(this.#refusedUntil, this.world.now + ms);
    this.reset();
  }

  /** Messages of the feed get lost, while all else arrives. */
  deafen(ms: number): void {
    this.#deafUntil = Math.max(this.#deafUntil, this.world.now + ms);
  }

  /** For how much longer. */
  get deafForMs(): number {
    return Math.max(0, this.#deafUntil - this.world.now);
  }

  /** All connections break, for both ends. */
  reset(): void {
    for (const connection of [...this.connections]) connection.break(connectionError("ECONNRESET"));
  }

  /** Nothing goes wrong any more. */
  heal(): void {
    this.#silentUntil = 0;
    this.#refusedUntil = 0;
    this.#deafUntil = 0;
    this.#lostReplies = 0;
    for (const connection of [...this.connections])
      if (connection.isHalfOpen) connection.break(connectionError("ECONNRESET"));
  }

  /** When something that is sent now is over there; undefined if never. */
  arrival(): number | undefined {
    const { world } = this;
    const [low, high] = this.#options.latencyMs;
    const silentMs = Math.max(0, this.#silentUntil - world.now);
    return silentMs > patienceMs ? undefined : world.now + silentMs + this.#random.int(low, high);
  }

  get isOrdered(): boolean {
    return this.#options.isOrdered;
  }

  losesReply(): boolean {
    return this.#random.chance(this.#lostReplies);
  }

  /** Rejects if it is refused, or nothing arrives for too long. */
  connect(): Promise<Connection> {
    const { world, process } = this;
    const at = this.arrival();
    return new Promise((resolve, reject) => {
      const answer = () => {
        const isRefused = this.#refusedUntil > world.now || !this.server.accepts;
        if (at === undefined) reject(connectionError("ETIMEDOUT"));
        else if (isRefused) reject(connectionError("ECONNREFUSED"));
        else resolve(new Connection(this));
      };
      world.after(at === undefined ? patienceMs : 2 * (at - world.now), answer, process);
    });
  }
}
