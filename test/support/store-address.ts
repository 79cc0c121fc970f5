/**
 * The place of the sessions that several processes of a test share: a database by its URL, and a place of the test's own
 * in it.
 *
 * ```ts
 * const address = { kind: "redis", url: "redis://127.0.0.1:6379", place: newPlace() };
 * const store = await openStore(address); // in each process
 * await clearPlace(address);              // after the test
 * ```
 */
import { randomUUID } from "node:crypto";
import type { Pool } from "pg";
import type { SessionStore } from "socket-session";
import type { ClientPackage } from "./redis-clients.ts";

export interface StoreAddress {
  readonly kind: "sqlite" | "redis" | "postgres" | "mongodb";
  /** For SQLite the path of the file; for a Redis Cluster those of several servers, with commas between. */
  readonly url: string;
  /** The prefix of the keys, the table, or the database; nothing for SQLite. */
  readonly place: string;
  /** Whether another package writes there too: the Redis and PostgreSQL stores need to know. */
  readonly otherWriters?: boolean;
  /** To Redis. Default: `redis`. */
  readonly client?: ClientPackage;
}

/** A name that no other test has, fit for a key, a table and a database. */
export function newPlace(): string {
  return `test_${randomUUID().replaceAll("-", "")}`;
}

/** Errors of idle connections are the application's to report; the store notices by itself. */
const ignored = () => {};

// Drivers are loaded where they are used: a process of a test needs one of them, and starts in half the time.

export async function postgresPool(url: string): Promise<Pool> {
  const { Pool } = await import("pg");
  const pool = new Pool({ connectionString: url, max: 40 });
  pool.on("error", ignored);
  return pool;
}

/** Its client lasts as long as the process. */
export async function openStore(address: StoreAddress): Promise<SessionStore> {
  const { kind, url, place, otherWriters } = address;
  const told = otherWriters === undefined ? {} : { otherWriters };
  switch (kind) {
    case "sqlite": {
      const { sqliteStore } = await import("socket-session/sqlite");
      return sqliteStore({ path: url });
    }
    case "redis": {
      const { openClient } = await import("./redis-clients.ts");
      const { redisStore } = await import("socket-session/redis");
      const { client } = await openClient(address.client ?? "redis", url);
      return redisStore({ client, prefix: `${place}:`, ...told });
    }
    case "postgres": {
      const { postgresStore } = await import("socket-session/postgres");
      const pool = await postgresPool(url);
      return postgresStore({ pool, tableName: place, createTableIfMissing: true, ...told });
    }
    case "mongodb": {
      const { MongoClient } = await import("mongodb");
      const { mongodbStore } = await import("socket-session/mongodb");
      return mongodbStore({ client: await new MongoClient(url).connect(), dbName: place });
    }
  }
}

/** Removes all that was stored there. */
export async function clearPlace({ kind, url, place }: StoreAddress): Promise<void> {
  if (kind === "redis") {
    const { keysUnder, openIoRedis } = await import("./redis-clients.ts");
    const client = openIoRedis(url);
    await Promise.all((await keysUnder(client, `${place}:`)).map((key) => client.del(key)));
    client.disconnect();
  } else if (kind === "postgres") {
    const pool = await postgresPool(url);
    await pool.query(`DROP TABLE IF EXISTS ${place}, ${place}_users, ${place}_socket_tickets`);
    await pool.end();
  } else if (kind === "mongodb") {
    const { MongoClient } = await import("mongodb");
    const client = new MongoClient(url);
    await client.db(place).dropDatabase();
    await client.close();
  }
}
