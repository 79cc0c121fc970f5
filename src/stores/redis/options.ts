/** The options of the Redis store, with connect-redis's names and defaults, and their checks. */
import { clockOf } from "../../base/arguments.ts";
import type { Clock } from "../../base/clock.ts";
import { hasMethods } from "../../base/shapes.ts";
import { shown } from "../../base/shown.ts";
import type { SessionDocument } from "../../session-store.ts";
import { checkStoreOptions, lifeTime, type OptionChecks } from "../common/options.ts";
import { connectionOf, type RedisClient } from "./client.ts";
import type { RedisConnection } from "./connection.ts";

/** As in connect-redis. Throws if it can't write the document or read the text. */
export interface Serializer {
  stringify(document: SessionDocument): string;
  parse(text: string): unknown;
}

export interface RedisStoreOptions {
  client: RedisClient;
  prefix?: string;
  ttl?: number;
  serializer?: Serializer;
  scanCount?: number;
  keyspaceEvents?: boolean | "auto";
  otherWriters?: boolean;
  clock?: Clock;
}

export interface ResolvedRedisOptions {
  readonly connection: RedisConnection;
  readonly prefix: string;
  readonly ttlMs: number;
  readonly serializer: Serializer;
  readonly scanCount: number;
  readonly keyspaceEvents: boolean | "auto";
  readonly otherWriters: boolean;
  readonly clock: Clock;
}

const known: Readonly<Record<keyof RedisStoreOptions, true>> = {
  ...{ client: true, prefix: true, ttl: true, serializer: true, scanCount: true },
  ...{ keyspaceEvents: true, otherWriters: true, clock: true },
};

const makeClient =
  "Make a client with it, and give that: `const client = createClient({ url }); await client.connect();`, then redisStore({ client }).";

/** For options of connect-redis's versions and of the clients. */
const cures = {
  disableTTL:
    "A session has to end, and Redis has to know when. Set a long `cookie.maxAge` or `ttl` instead.",
  disableTouch: "Set `touchIntervalMs` of liveSessions() to say how often the life of a session is extended.",
  keyPrefix: "Write `prefix` instead.",
  ...Object.fromEntries(
    ["url", "uri", "host", "port", "socket", "path", "username", "password", "pass", "db", "database"].map(
      (name) => [name, makeClient],
    ),
  ),
};

export function resolveRedisOptions(options: RedisStoreOptions): ResolvedRedisOptions {
  const check = checkStoreOptions(
    "redisStore()",
    "redisStore({ client }), with a connected client of `redis` or `ioredis`",
    options,
    known,
    cures,
    (name, value) => name.startsWith("disable") && !value,
  );
  const { ttl = 86_400, keyspaceEvents = "auto", otherWriters = false, clock } = options;
  // As in connect-redis: the default replaces a null `prefix`, and any falsy `scanCount` and `serializer`.
  const prefix = options.prefix ?? "sess:";
  const scanCount = options.scanCount || 100;
  const serializer = options.serializer || JSON;
  check.expect(typeof prefix === "string", "prefix", "a string", shown(prefix));
  check.number("ttl", ttl, typeof ttl === "function" ? { ...lifeTime, cure: perSession } : lifeTime);
  check.number("scanCount", scanCount, { unit: "keys", above: 0 });
  check.expect(
    hasMethods(serializer, "stringify", "parse"),
    "serializer",
    "an object with stringify and parse, like JSON",
    shown(serializer),
  );
  check.choice("keyspaceEvents", keyspaceEvents, ["auto", true, false]);
  check.flag("otherWriters", otherWriters);
  const connection = connectionOf(options.client);
  checkConnection(check, connection, keyspaceEvents);
  return {
    connection,
    prefix,
    ttlMs: ttl * 1000,
    serializer,
    scanCount: Math.ceil(scanCount),
    keyspaceEvents,
    otherWriters,
    clock: clockOf("redisStore()", clock),
  };
}

const perSession =
  "Where sessions live differently long, set `req.session.cookie.maxAge` of each: then every node that has the session knows.";

function checkConnection(
  check: OptionChecks,
  { keyPrefix, isCluster }: RedisConnection,
  keyspaceEvents: boolean | "auto",
): void {
  check.expect(
    keyPrefix === "",
    "client",
    "a client without a keyPrefix",
    `one with a keyPrefix, ${shown(keyPrefix)}`,
    "Give the store a client without, and put it into `prefix`: the keys of the sessions then stay the same.",
  );
  check.expect(
    !(isCluster && keyspaceEvents === true),
    "keyspaceEvents",
    'false or "auto" in a Cluster',
    "true",
    "There, each server publishes only the events of its own keys. Leave it out.",
  );
}
