import { randomBytes } from "node:crypto";
import { MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import { describe } from "vitest";
import { type TestedService, withService } from "../../../test/setup/services.ts";

/** A store that the chat can run on, and a part of it that is a test's own. */
export interface StoreKind {
  readonly name: string;
  readonly service: Pick<TestedService, "describe">;
  /** The Socket.IO adapter that the chat picks for it. */
  readonly adapter: string;
  readonly prepare: (folder: string) => Promise<{ STORE: string; remove: () => Promise<void> }>;
}

const redis = withService("redis");
const postgres = withService("postgres");
const mongodb = withService("mongodb");
const mongodbReplica = withService("mongodb-replica");

const newName = () => `chat_${randomBytes(6).toString("hex")}`;

/** The last of a Redis server's sixteen databases, which only these tests use. */
async function prepareRedis() {
  const url = new URL("/15", redis.url).href;
  const remove = async () => {
    const client = await createClient({ url }).connect();
    await client.flushDb();
    client.destroy();
  };
  await remove();
  return { STORE: url, remove };
}

async function preparePostgres() {
  const name = newName();
  const url = new URL(postgres.url);
  const pool = new Pool({ connectionString: postgres.url });
  await pool.query(`CREATE DATABASE ${name}`);
  url.pathname = name;
  const remove = async () => {
    await pool.query(`DROP DATABASE ${name} WITH (FORCE)`);
    await pool.end();
  };
  return { STORE: url.href, remove };
}

function prepareMongodb(service: TestedService) {
  return async () => {
    const name = newName();
    // a database stands between the hosts and the parameters
    const STORE = service.url.replace(/^(mongodb:\/\/[^/?]+)\/?[^?]*/, `$1/${name}`);
    const remove = async () => {
      const client = new MongoClient(STORE);
      await client.db(name).dropDatabase();
      await client.close();
    };
    return { STORE, remove };
  };
}

export const storeKinds: readonly StoreKind[] = [
  {
    name: "a file",
    service: { describe: describe.skipIf(false) },
    adapter: "cluster",
    prepare: async (folder) => ({ STORE: `file:${folder}/chat.sqlite`, remove: async () => {} }),
  },
  { name: "redis", service: redis, adapter: "redis-streams", prepare: prepareRedis },
  { name: "postgres", service: postgres, adapter: "postgres", prepare: preparePostgres },
  {
    name: "mongodb, standalone",
    service: mongodb,
    adapter: "cluster (a standalone mongod has no change streams",
    prepare: prepareMongodb(mongodb),
  },
  {
    name: "mongodb, replica set",
    service: mongodbReplica,
    adapter: "mongo",
    prepare: prepareMongodb(mongodbReplica),
  },
];
