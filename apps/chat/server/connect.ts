import { type Db, MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import { type DatabaseUrl, reasonOf } from "./database-url.ts";

/** How long a database may take to be there at the start. */
const connectTimeoutMs = 5_000;
/** The longest pause between two attempts to reach a Redis that has gone away. */
const mostRetryMs = 2_000;

/** Connects, or throws in words: which variable, which database, what is wrong. `shown` stands for its address. */
async function reach<T>(address: DatabaseUrl, variable: string, connect: () => Promise<T>): Promise<T> {
  try {
    return await connect();
  } catch (error) {
    // No cause: a driver's error may hold the whole address, password included.
    throw new Error(
      `${variable} names ${address.shown}, and no connection could be made: ${reasonOf(error, address)}. Is it running, and may this machine and user connect?`,
    );
  }
}

/** Tells of a connection that was lost, and of the same trouble only once in a row. */
function complainer(address: DatabaseUrl): (error: unknown) => void {
  let last = "";
  return (error) => {
    const reason = reasonOf(error, address);
    if (reason !== last) console.error(`${address.shown}: ${reason}`);
    last = reason;
  };
}

/** A client whose owner closes it. It connects again by itself, but not where it never was connected. */
export async function connectRedis(address: DatabaseUrl, variable: string) {
  return reach(address, variable, async () => {
    let hasBeenThere = false;
    const client = createClient({
      url: address.url,
      socket: {
        connectTimeout: connectTimeoutMs,
        reconnectStrategy: (retries, cause) =>
          hasBeenThere ? Math.min(50 * 2 ** Math.min(retries, 10), mostRetryMs) : cause,
      },
    });
    const complain = complainer(address);
    client.on("error", (error) => {
      if (hasBeenThere) complain(error);
    });
    await client.connect();
    hasBeenThere = true;
    return client;
  });
}

/** A pool whose owner ends it. */
export async function connectPostgres(address: DatabaseUrl, variable: string): Promise<Pool> {
  return reach(address, variable, async () => {
    const pool = new Pool({ connectionString: address.url, connectionTimeoutMillis: connectTimeoutMs });
    const complain = complainer(address);
    pool.on("error", complain);
    // A connection that is lent out, as those that listen are, tells nobody else of its end but itself.
    pool.on("connect", (client) => client.on("error", complain));
    try {
      await pool.query("SELECT 1");
    } catch (error) {
      await pool.end();
      throw error;
    }
    return pool;
  });
}

/** A client whose owner closes it, and the database that its address names, else `chat`. */
export async function connectMongodb(
  address: DatabaseUrl,
  variable: string,
): Promise<{ client: MongoClient; db: Db; isReplicaSet: boolean }> {
  return reach(address, variable, async () => {
    const client = new MongoClient(address.url, { serverSelectionTimeoutMS: connectTimeoutMs });
    try {
      const db = client.db(/\/\/[^/]*\/[^?]/.test(address.url) ? undefined : "chat");
      const { setName } = await db.command({ hello: 1 });
      return { client, db, isReplicaSet: setName !== undefined };
    } catch (error) {
      await client.close();
      throw error;
    }
  });
}
