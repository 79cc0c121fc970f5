/** The nodes of the application and their shared database: started, killed, and started again. */
import type { Database } from "./databases/database.ts";
import type { Ledger } from "./ledger.ts";
import type { Mix } from "./mix.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeFactory } from "./node-context.ts";
import { Operations } from "./operations.ts";
import { SimulatedProcess } from "./world/process.ts";
import type { Random } from "./world/random.ts";
import type { Route } from "./world/route.ts";
import type { World } from "./world/world.ts";

export interface Member {
  readonly node: SimulatedNode;
  readonly process: SimulatedProcess;
  readonly route: Route;
  readonly startedAt: number;
}

/** From a client to a node, one way. */
const latencyMs = [1, 10] as const;

export class Cluster {
  readonly members: Member[] = [];
  readonly #world: World;
  readonly #mix: Mix;
  readonly #database: Database;
  readonly #factory: NodeFactory;
  readonly #ledger: Ledger;
  readonly #operations: Operations;
  readonly #random: Random;
  #starts = 0;

  constructor(world: World, mix: Mix, database: Database, ledger: Ledger, factory: NodeFactory) {
    this.#world = world;
    this.#mix = mix;
    this.#database = database;
    this.#factory = factory;
    this.#ledger = ledger;
    this.#operations = new Operations(world, ledger);
    this.#random = world.random.fork("cluster");
    for (let place = 0; place < mix.nodes; place++) this.#start(place);
  }

  /** The session's name in the trace. */
  nameOf(sid: string): string {
    return this.#ledger.nameOf(sid);
  }

  /** Runs `use` on one of the nodes, once a request of a client has reached it. */
  reach(use: (node: SimulatedNode) => void): void {
    const { node, process } = this.#random.pick(this.members);
    this.#world.after(this.#random.int(...latencyMs), () => use(node), process);
  }

  /** As SIGKILL; another process takes its place after `ms`. */
  kill(member: Member, ms: number): void {
    const place = this.members.indexOf(member);
    member.process.kill();
    this.#world.after(ms, () => this.#start(place));
  }

  #start(place: number): void {
    const { skewMs, drift, faults, settings, cap } = this.#mix;
    const name = `n${this.#starts++}`;
    const random = this.#random.fork(name);
    const clock = { skewMs: random.int(-skewMs, skewMs), drift: drift * (2 * random.next() - 1) };
    const process = new SimulatedProcess(this.#world, name, clock);
    const lostReplies = faults["lost reply"] ?? 0;
    const route = this.#database.server.route(process, { latencyMs: [1, 12], lostReplies });
    this.#world.trace.add({ kind: "start", node: name, skewMs: clock.skewMs });
    const startedAt = this.#world.now;
    this.#world.after(
      0,
      () => {
        const node = this.#factory({
          ...{ world: this.#world, ledger: this.#ledger, operations: this.#operations },
          ...{ process, random, settings, cap, store: this.#database.open(process, route) },
        });
        this.members[place] = { node, process, route, startedAt };
      },
      process,
    );
  }
}
