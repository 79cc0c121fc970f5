/** The store of Redis over a simulated server, which may publish events of its keys, by clients of both packages. */
import type { SessionStore } from "../../../src/session-store.ts";
import type { RedisClient } from "../../../src/stores/redis/client.ts";
import { redisStore } from "../../../src/stores/redis/store.ts";
import type { Route } from "../world/route.ts";
import type { DatabaseKind } from "./database.ts";
import { SimulatedIoRedis } from "./redis/ioredis.ts";
import { SimulatedNodeRedis } from "./redis/node-redis.ts";
import { RedisServer } from "./redis/server.ts";

/** The client of an application, which is connected, or is about to be. */
type Connect = (server: RedisServer, route: Route) => RedisClient;

const nodeRedis: Connect = (server, route) => {
  const client = new SimulatedNodeRedis(server, route, randomOf(route)).on("error", ignored);
  client.connect().catch(ignored);
  return client;
};

const ioredis: Connect = (server, route) =>
  new SimulatedIoRedis(server, route, randomOf(route)).on("error", ignored);

export const redisKinds: readonly DatabaseKind[] = [
  kindOf("redis, node-redis", nodeRedis, false),
  kindOf("redis, ioredis", ioredis, false),
  kindOf("redis, node-redis, keyspace events", nodeRedis, true),
  kindOf("redis, ioredis, keyspace events", ioredis, true),
];

function kindOf(name: string, connect: Connect, keyspaceEvents: boolean): DatabaseKind {
  return {
    name,
    feed: "complete",
    make(world, ledger) {
      const server = new RedisServer(world, ledger, keyspaceEvents);
      return {
        server,
        open: ({ clock }, route): SessionStore => redisStore({ client: connect(server, route), clock }),
      };
    },
  };
}

function randomOf({ world, process }: Route) {
  return world.random.fork(`redis client ${process.name}`);
}

/** An application writes it into its log. */
function ignored(): void {}
