/** Nodes over one store in memory with delayed calls and changes: for tests of the nodes themselves. */
import type { FeedListener, SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { traceUncaught } from "./crashes.ts";
import { Ledger } from "./ledger.ts";
import type { SimulatedNode } from "./node.ts";
import type { NodeContext } from "./node-context.ts";
import { Operations } from "./operations.ts";
import type { EventOf, Kind } from "./trace.ts";
import { epochMs, SimulatedProcess } from "./world/process.ts";
import type { Random } from "./world/random.ts";
import { runtime } from "./world/runtime.ts";
import { World } from "./world/world.ts";

export interface Cluster<Node extends SimulatedNode> {
  readonly world: World;
  readonly ledger: Ledger;
  readonly nodes: readonly Node[];
}

const settings = {
  revalidateIntervalMs: 10_000,
  staleMs: 20_000,
  storeTimeoutMs: 3_000,
  touchIntervalMs: 5_000,
  updateTimeoutMs: 10_000,
  maxAgeMs: 120_000,
};

/** Runs `story` in a world of its own for `ms`, and returns the world. */
export async function simulate<Node extends SimulatedNode>(
  seed: number,
  make: (context: NodeContext) => Node,
  story: (cluster: Cluster<Node>) => Promise<void> | void,
  { ms = 60_000, nodes: count = 2 } = {},
): Promise<World> {
  const world = new World(seed);
  const stop = traceUncaught(world);
  try {
    await runtime.within(world, async () => {
      const ledger = new Ledger(world.trace);
      const operations = new Operations(world, ledger);
      const inner = memoryStore({ clock: clockOf(world) });
      const nodes = Array.from({ length: count }, (_, index) => {
        const process = new SimulatedProcess(world, `n${index}`);
        const random = world.random.fork(`node ${process.name}`);
        return make({
          world,
          ledger,
          operations,
          process,
          random,
          settings,
          store: remote(world, process, inner),
        });
      });
      world.after(100, () => void story({ world, ledger, nodes }));
      await world.run(ms);
    });
  } finally {
    stop();
  }
  return world;
}

/** Resolves after so much time of the world. */
export function pass(world: World, ms: number): Promise<void> {
  return new Promise((resolve) => void world.after(ms, resolve));
}

export async function created(node: SimulatedNode | undefined): Promise<string> {
  const sid = await node?.create();
  if (sid === undefined) throw new Error("Expected a session.");
  return sid;
}

export function eventsOf<K extends Kind>(world: World, kind: K): EventOf<K>[] {
  return world.trace.events.filter((event): event is EventOf<K> => event.kind === kind);
}

function clockOf(world: World) {
  return {
    now: () => Math.floor(epochMs + world.now),
    after: (ms: number, run: () => void) => world.after(ms, run),
  };
}

function remote(world: World, process: SimulatedProcess, inner: SessionStore): SessionStore {
  const random = world.random.fork(`store of ${process.name}`);
  const far = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => {
    return async (...args: Args): Promise<T> => {
      await latency(world, random);
      const result = await call(...args);
      await latency(world, random, process);
      return result;
    };
  };
  return {
    name: inner.name,
    atomic: inner.atomic,
    feed: inner.feed,
    read: far((key) => inner.read(key)),
    create: far((...args) => inner.create(...args)),
    replace: far((...args) => inner.replace(...args)),
    touch: far((...args) => inner.touch(...args)),
    destroy: far((...args) => inner.destroy(...args)),
    putTicket: far(async (...args) => inner.putTicket?.(...args)),
    takeTicket: far(async (id) => (await inner.takeTicket?.(id)) ?? null),
    changes: async (listener, options) => {
      if (!inner.changes) throw new Error("Expected a store with a feed.");
      return inner.changes(farListener(world, process, listener), options);
    },
    close: async () => {},
  };
}

function farListener(world: World, process: SimulatedProcess, listener: FeedListener): FeedListener {
  const later = (run: () => void) => void world.after(3, run, process);
  return {
    changed: (change) => later(() => listener.changed(change)),
    broken: (error) => later(() => listener.broken(error)),
    missed: () => later(() => listener.missed()),
  };
}

function latency(world: World, random: Random, owner?: SimulatedProcess): Promise<void> {
  return new Promise((resolve) => void world.after(random.int(1, 4), resolve, owner));
}
