/**
 * The stores in databases, as kinds of the matrix: each `open()` is a new, empty store with keys, a table or a collection
 * of its own. Clients are made once for each process of tests, and go with it.
 */
import { randomUUID } from "node:crypto";
import { MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { type ServiceName, withService } from "../setup/services.ts";
import type { StoreKind } from "./matrix.ts";

const newName = () => `t${randomUUID().replaceAll("-", "")}`;

/** Made when it is first asked for. */
function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

function kind(
  name: string,
  serviceName: ServiceName,
  storesAt: (url: () => string) => Pick<StoreKind, "open" | "pass" | "damage">,
): StoreKind {
  const service = withService(serviceName);
  const stores = storesAt(() => service.url);
  return { name, ...stores, obeysClock: false, feed: true, isMissing: service.isMissing };
}

export const databaseKinds: readonly StoreKind[] = [
  kind("Redis", "redis", (url) => {
    const client = once(() => {
      const one = createClient({ url: url() });
      void one.connect();
      return one;
    });
    let prefix = "";
    return {
      open(clock) {
        prefix = `${newName()}:`;
        return redisStore({ client: client(), prefix, ...(clock ? { clock } : {}) });
      },
      async pass(ms) {
        for (const key of await client().keys(`${prefix}*`))
          await client().pExpire(key, (await client().pTTL(key)) - ms);
      },
      async damage(sid, text) {
        await client().set(`${prefix}${sid}`, text, { expiration: "KEEPTTL" });
      },
    };
  }),
  kind("PostgreSQL", "postgres", (url) => {
    const pool = once(() => new Pool({ connectionString: url(), max: 4, allowExitOnIdle: true }));
    let tableName = "";
    return {
      open(clock) {
        tableName = newName();
        return postgresStore({
          pool: pool(),
          tableName,
          createTableIfMissing: true,
          ...(clock ? { clock } : {}),
        });
      },
      async damage(sid, text) {
        await pool().query(`UPDATE ${tableName} SET sess = $1 WHERE sid = $2`, [text, sid]);
      },
    };
  }),
  kind("MongoDB, standalone", "mongodb", mongodbAt),
  kind("MongoDB, replica set", "mongodb-replica", mongodbAt),
];

function mongodbAt(url: () => string): Pick<StoreKind, "open" | "damage"> {
  const client = once(() => new MongoClient(url()));
  let collectionName = "";
  return {
    open(clock) {
      collectionName = newName();
      return mongodbStore({
        client: client(),
        dbName: "matrix",
        collectionName,
        ...(clock ? { clock } : {}),
      });
    },
    async damage(sid, session) {
      const collection = client().db("matrix").collection<{ _id: string }>(collectionName);
      await collection.updateOne({ _id: sid }, { $set: { session } });
    },
  };
}
