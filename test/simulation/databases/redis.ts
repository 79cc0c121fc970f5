/**
 * The store of Redis, over a simulated server. The seed decides on the package of the client, and on whether the server
 * publishes events of its keys.
 */
import type { SessionStore } from "../../../src/core/session-store.ts";
import { redisStore } from "../../../src/stores/redis.ts";
import type { RedisClient } from "../../../src/stores/redis-client.ts";
import type { Ledger } from "../ledger.ts";
import type { Route } from "../network.ts";
import type { SimulatedProcess } from "../process.ts";
import type { World } from "../world.ts";
import type { Database, DatabaseKind } from "./database.ts";
import { SimulatedIoRedis } from "./redis/ioredis.ts";
import { SimulatedNodeRedis } from "./redis/node-redis.ts";
import { RedisServer } from "./redis/server.ts";

export interface RedisTraits {
  readonly client: "redis" | "ioredis";
  readonly keyspaceEvents: boolean;
}

/** Of these traits; of those that the seed decides on, where they are left out. */
export function redisOf(traits: Partial<RedisTraits> = {}): DatabaseKind {
  return {
    name: ["redis", traits.client, traits.keyspaceEvents && "keyspace events"].filter(Boolean).join(", "),
    make(world, ledger) {
      const random = world.random.fork("redis");
      const drawn: RedisTraits = {
        client: random.pick(["redis", "ioredis"] as const),
        keyspaceEvents: random.chance(0.5),
      };
      return new RedisDatabase(world, ledger, { ...drawn, ...traits });
    },
  };
}

export const redis = redisOf();

class RedisDatabase implements Database {
  readonly server: RedisServer;
  readonly #world: World;
  readonly #client: RedisTraits["client"];

  constructor(world: World, ledger: Ledger, { client, keyspaceEvents }: RedisTraits) {
    this.#world = world;
    this.#client = client;
    this.server = new RedisServer(world, ledger, keyspaceEvents);
  }

  open(process: SimulatedProcess, route: Route): SessionStore {
    return redisStore({ client: this.#connected(process, route), clock: process.clock });
  }

  /** The application's client, which is connected, or is about to be. */
  #connected({ name }: SimulatedProcess, route: Route): RedisClient {
    const random = this.#world.random.fork(`redis client ${name}`);
    if (this.#client === "ioredis")
      return new SimulatedIoRedis(this.server, route, random).on("error", ignored);
    const client = new SimulatedNodeRedis(this.server, route, random).on("error", ignored);
    client.connect().catch(ignored);
    return client;
  }
}

/** An application writes it into its log. */
function ignored(): void {}
