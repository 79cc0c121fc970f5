/**
 * The clients that the Redis store takes, `redis` (node-redis) and `ioredis`, one server or a Cluster: told apart by what
 * they can do, so that no driver is needed to compile.
 *
 * ```ts
 * const connection = connectionOf(client);
 * ```
 */
import { SocketSessionError } from "../errors.ts";
import { shown } from "../shown.ts";
import type { RedisConnection } from "./redis-connection.ts";
import { type IoRedisClient, type IoRedisCluster, ioredisConnection, isIoRedis } from "./redis-ioredis.ts";
import {
  isNodeRedis,
  isOldNodeRedis,
  type NodeRedisClient,
  type NodeRedisCluster,
  nodeRedisConnection,
} from "./redis-node.ts";

/** A client of the package `redis` or `ioredis`, of one server or of a Cluster. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | IoRedisClient | IoRedisCluster;

export function connectionOf(client: RedisClient): RedisConnection {
  const given: unknown = client;
  if (isIoRedis(given)) return ioredisConnection(given);
  if (isNodeRedis(given)) return nodeRedisConnection(given);
  if (isOldNodeRedis(given)) {
    throw new SocketSessionError(
      "INVALID_OPTION",
      "Expected redisStore's client to be of the package redis 5 or later, but it is of an older release. Update redis to 5.",
    );
  }
  throw new SocketSessionError(
    "INVALID_OPTION",
    "Expected redisStore's client to be a client of the package redis (createClient, createCluster; 5 or later) or " +
      `ioredis (5 or later), but it is ${shown(given)}. Of node-redis, neither a pool, a Sentinel nor a legacy ` +
      "client will do; with Sentinel, use ioredis.",
  );
}
