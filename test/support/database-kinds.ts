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

function kind(name: string, serviceName: ServiceName, openAt: (url: () => string) => StoreKind["open"]) {
  const service = withService(serviceName);
  const open = openAt(() => service.url);
  return { name, open, obeysClock: false, feed: true, isMissing: service.isMissing };
}

export const databaseKinds: readonly StoreKind[] = [
  kind("Redis", "redis", (url) => {
    const client = once(() => {
      const one = createClient({ url: url() });
      void one.connect();
      return one;
    });
    return (clock) => redisStore({ client: client(), prefix: `${newName()}:`, ...(clock ? { clock } : {}) });
  }),
  kind("PostgreSQL", "postgres", (url) => {
    const pool = once(() => new Pool({ connectionString: url(), max: 4, allowExitOnIdle: true }));
    return (clock) =>
      postgresStore({
        pool: pool(),
        tableName: newName(),
        createTableIfMissing: true,
        ...(clock ? { clock } : {}),
      });
  }),
  kind("MongoDB, standalone", "mongodb", mongodbAt),
  kind("MongoDB, replica set", "mongodb-replica", mongodbAt),
];

function mongodbAt(url: () => string): StoreKind["open"] {
  const client = once(() => new MongoClient(url()));
  return (clock) =>
    mongodbStore({
      client: client(),
      dbName: "matrix",
      collectionName: newName(),
      ...(clock ? { clock } : {}),
    });
}
