/**
 * The clients that the Redis store accepts: `redis` (node-redis) and `ioredis`, for one server or a Cluster. They are
 * distinguished by their methods, so that no driver is needed to compile.
 *
 * ```ts
 * const connection = connectionOf(client);
 * ```
 */
import { invalid, refusal } from "../../base/arguments.ts";
import { shown } from "../../base/shown.ts";
import { recognised, redisClient } from "../common/recognised.ts";
import type { RedisConnection } from "./connection.ts";
import {
  type IoRedisClient,
  type IoRedisCluster,
  ioredisConnection,
  isIoRedis,
  isOldIoRedis,
} from "./ioredis.ts";
import {
  isNodeRedis,
  type NodeRedisClient,
  type NodeRedisCluster,
  nodeRedisConnection,
  oldNodeRedis,
} from "./node-redis.ts";

/** A client of the package `redis` or `ioredis`, of one server or of a Cluster. */
export type RedisClient = NodeRedisClient | NodeRedisCluster | IoRedisClient | IoRedisCluster;

const expected =
  "`client` of redisStore() expects a client of `redis` (createClient or createCluster) or `ioredis`, 5 or later";

export function connectionOf(client: RedisClient): RedisConnection {
  const given: unknown = client;
  if (isOldIoRedis(given)) throw older(given, "ioredis 4 or older", "ioredis");
  if (isIoRedis(given)) return ioredisConnection(given);
  if (isNodeRedis(given)) return nodeRedisConnection(given);
  const old = oldNodeRedis(given);
  if (old !== undefined) throw older(given, old, "redis");
  const found = recognised(given);
  if (found && found.what !== redisClient) throw refusal(expected, found.what, found.cure);
  throw invalid(
    expected,
    given,
    "Give it one, connected. Of `redis`, neither a pool, a Sentinel nor a legacy client will do; with Sentinel, use `ioredis`.",
  );
}

function older(client: unknown, version: string, name: string): Error {
  return refusal(
    expected,
    `one of ${version}, ${shown(client)}`,
    `Update \`${name}\` to 5 or later; or keep the express-session store that you have: liveSessions({ store: yourStore }).`,
  );
}
