/**
 * Nodes whose sockets can be recovered: one with Socket.IO's own adapter, or two that share Redis.
 *
 * ```ts
 * const nodes = await place.start({ skipMiddlewares: true });
 * const tab = await nodes.visitor({ name: "ada" });  // its sockets connect to nodes.here
 * nodes.move();                                      // from now on to nodes.there
 * ```
 */
import { createAdapter } from "@socket.io/redis-streams-adapter";
import { redisStore } from "socket-session/redis";
import { describe } from "vitest";
import { ring } from "../../setup/ring.ts";
import { withService } from "../../setup/services.ts";
import { Browser } from "../../support/browser.ts";
import { startFront } from "../../support/front.ts";
import { redisClient } from "../../support/redis-clients.ts";
import { clearPlace, newPlace } from "../../support/store-address.ts";
import { startWorld, type World, type WorldOptions } from "../../support/world.ts";

export interface NodesOptions extends WorldOptions {
  readonly skipMiddlewares: boolean;
  /** What the second node has differently. */
  readonly there?: WorldOptions;
}

export interface Nodes {
  /** Where sockets connect first. */
  readonly here: World;
  /** Where they come back: the same node, or another. */
  readonly there: World;
  browser(): Browser;
  /** A browser that has logged in. */
  visitor(data: Record<string, unknown>): Promise<Browser>;
  /** From now on connections go to `here`, or to `there`. */
  stay(): void;
  move(): void;
  /** Resolves when the adapter has kept the state of a socket that left. */
  kept(pid: string): Promise<void>;
  close(): Promise<void>;
}

export interface RecoveryPlace {
  readonly name: string;
  readonly describe: ReturnType<typeof describe.skipIf>;
  start(options: NodesOptions): Promise<Nodes>;
}

const redis = withService("redis");

/** One node. */
export const inMemory: RecoveryPlace = {
  name: "on the same node, over the in-memory adapter",
  describe: describe.skipIf(false),
  async start({ skipMiddlewares, there: _there, io, ...options }) {
    const connectionStateRecovery = { skipMiddlewares };
    return nodesOf([await startWorld({ ...options, io: { ...io, connectionStateRecovery } })]);
  },
};

/** Two nodes. */
export const overRedis: RecoveryPlace = {
  name: "on another node, over Redis streams",
  describe: redis.describe,
  start: ({ there = {}, ...options }) => startOverRedis(options, [{}, there]),
};

export const allPlaces: readonly RecoveryPlace[] = [
  inMemory,
  {
    name: "on the same node, over Redis streams",
    describe: redis.describe,
    start: ({ there: _there, ...options }) => startOverRedis(options, [{}]),
  },
  overRedis,
];

/** Both adapters, on the same node and on another; in the ring `product` all. */
export const recoveryPlaces = ring === "product" ? allPlaces : [inMemory, overRedis];

async function startOverRedis(
  { skipMiddlewares, io, ...options }: NodesOptions,
  each: readonly WorldOptions[],
): Promise<Nodes> {
  const place = newPlace();
  const client = await redisClient(redis.url);
  const stream = `${place}-stream`;
  const sessionKeyPrefix = `${place}-socket:`;
  const settings = each.map((own) => ({
    store: redisStore({ client, prefix: `${place}:` }),
    ...options,
    ...own,
    io: {
      ...io,
      connectionStateRecovery: { skipMiddlewares },
      adapter: createAdapter(client, {
        streamName: stream,
        channelPrefix: place,
        sessionKeyPrefix,
        blockTimeInMs: 100,
      }),
    },
  }));
  const nodes = await nodesOf(await Promise.all(settings.map(startWorld)));
  return {
    ...nodes,
    async kept(pid) {
      while ((await client.exists(sessionKeyPrefix + pid)) === 0);
    },
    async close() {
      await nodes.close();
      await client.del(stream);
      client.destroy();
      await clearPlace({ kind: "redis", url: redis.url, place });
    },
  };
}

export async function nodesOf(worlds: readonly World[]): Promise<Nodes> {
  const [here, there = here] = worlds;
  if (!here || !there) throw new Error("Expected a node.");
  for (const { http } of worlds) http.maxRequestsPerSocket = 1; // a kept connection would go to the node chosen before
  const front = await startFront(here);
  const browsers: Browser[] = [];
  const browser = () => {
    const one = new Browser(front.url);
    browsers.push(one);
    return one;
  };
  return {
    here,
    there,
    browser,
    async visitor(data) {
      const one = browser();
      await one.post("/login", data);
      return one;
    },
    stay: () => front.sendTo(here),
    move: () => front.sendTo(there),
    kept: async () => {},
    async close() {
      for (const one of browsers) one.close();
      front.close();
      await Promise.all(worlds.map((world) => world.close()));
    },
  };
}
