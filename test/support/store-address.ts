/**
 * Where several processes of a test keep the sessions they share: a database by its URL, and in it a place of the test's
 * own.
 *
 * ```ts
 * const address = { kind: "redis", url: "redis://127.0.0.1:6379", place: newPlace() };
 * const store = await openStore(address); // in each process
 * await clearPlace(address);              // after the test
 * ```
 */
import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import type { SessionStore } from "socket-session";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { sqliteStore } from "socket-session/sqlite";

export interface StoreAddress {
  readonly kind: "sqlite" | "redis" | "postgres" | "mongodb";
  /** For SQLite the path of the file. */
  readonly url: string;
  /** The prefix of the keys, the table, or the database; nothing for SQLite. */
  readonly place: string;
  /** Whether another package writes there too: Redis and PostgreSQL have to be told. */
  readonly otherWriters?: boolean;
}

/** A name that no other test has, fit for a key, a table and a database. */
export function newPlace(): string {
  return `test_${randomUUID().replaceAll("-", "")}`;
}

/** Clients as an application has them. Errors of idle connections are theirs to tell; the store notices by itself. */
const ignored = () => {};

export async function redisClient(url: string) {
  const client = createClient({ url });
  client.on("error", ignored);
  return client.connect();
}

export function postgresPool(url: string): Pool {
  const pool = new Pool({ connectionString: url, max: 40 });
  pool.on("error", ignored);
  return pool;
}

/** Its client lasts as long as the process. */
export async function openStore({ kind, url, place, otherWriters }: StoreAddress): Promise<SessionStore> {
  const told = otherWriters === undefined ? {} : { otherWriters };
  switch (kind) {
    case "sqlite":
      return sqliteStore({ path: url });
    case "redis":
      return redisStore({ client: await redisClient(url), prefix: `${place}:`, ...told });
    case "postgres":
      return postgresStore({
        pool: postgresPool(url),
        tableName: place,
        createTableIfMissing: true,
        ...told,
      });
    case "mongodb":
      return mongodbStore({ client: await new MongoClient(url).connect(), dbName: place });
  }
}

/** Removes all that was stored there. */
export async function clearPlace({ kind, url, place }: StoreAddress): Promise<void> {
  if (kind === "redis") {
    const client = await redisClient(url);
    const patterns = [`${place}:*`, `socket-session:${place}:*`];
    const keys = (await Promise.all(patterns.map((pattern) => client.keys(pattern)))).flat();
    if (keys.length > 0) await client.del(keys);
    client.destroy();
  } else if (kind === "postgres") {
    const pool = postgresPool(url);
    await pool.query(`DROP TABLE IF EXISTS ${place}, ${place}_users`);
    await pool.end();
  } else if (kind === "mongodb") {
    const client = new MongoClient(url);
    await client.db(place).dropDatabase();
    await client.close();
  }
}
