/**
 * One run: a cluster before its database, visitors, and what goes wrong; then calm; then the oracles.
 *
 * ```ts
 * const { violations, hash } = await simulate(mixOf(42, databasesByLayer));
 * ```
 */
import { cappedUser } from "./capped-user.ts";
import { Chaos } from "./chaos.ts";
import { Cluster } from "./cluster.ts";
import { coreNode } from "./core/core-node.ts";
import { traceUncaught } from "./crashes.ts";
import { databaseKind } from "./databases/kinds.ts";
import { Ledger } from "./ledger.ts";
import type { Layer, Mix } from "./mix.ts";
import type { NodeFactory } from "./node-context.ts";
import { requestNode } from "./requests/request-node.ts";
import { socketNode } from "./sockets/socket-node.ts";
import type { TraceEvent } from "./trace.ts";
import { Visitor } from "./visitor.ts";
import { runtime } from "./world/runtime.ts";
import { Livelock, World } from "./world/world.ts";

const factories: Record<Layer, NodeFactory> = { core: coreNode, requests: requestNode, sockets: socketNode };

export interface Run {
  readonly mix: Mix;
  readonly events: readonly TraceEvent[];
  readonly hash: string;
  /** Of simulated time. */
  readonly ms: number;
  readonly steps: number;
}

export async function simulate(mix: Mix): Promise<Run> {
  const world = new World(mix.seed);
  const untrace = traceUncaught(world);
  try {
    await runtime.within(world, () => live(world, mix));
  } finally {
    untrace();
  }
  const { trace, now, steps } = world;
  return { mix, events: trace.events, hash: trace.hash, ms: now, steps };
}

async function live(world: World, mix: Mix): Promise<void> {
  const ledger = new Ledger(world.trace);
  const database = databaseKind(mix.database).make(world, ledger);
  try {
    const cluster = new Cluster(world, mix, database, ledger, factories[mix.layer]);
    await world.run(1);
    const visitors = Array.from(
      { length: mix.visitors },
      (_, place) => new Visitor(world, cluster, mix, `v${place}`),
    );
    const capped = cappedUser(world, cluster, mix);
    const chaos = new Chaos(world, cluster, database.server, mix);
    await world.run(mix.minutes * 60_000);
    chaos.end();
    for (const { node } of cluster.members) node.heal?.();
    for (const visitor of visitors) visitor.rest();
    capped?.rest();
    world.trace.add({ kind: "calm" });
    await world.run(world.now + 2.5 * mix.settings.staleMs);
    for (const { node, process, startedAt } of cluster.members) {
      const { name, timers } = process;
      world.trace.add({ kind: "cost", node: name, timers, live: node.live, sinceMs: startedAt });
    }
  } catch (error) {
    if (!(error instanceof Livelock)) throw error;
    world.trace.add({ kind: "livelock", text: error.message });
  } finally {
    database.close?.();
  }
}
