import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";
import type { DatabaseUrl } from "./database-url.ts";
import type { StoreAddress } from "./store-address.ts";

export interface OpenStore {
  readonly store: SessionStore;
  /** Closes the client made for the store. Call it after closing the sessions, which close the store. */
  close(): Promise<void>;
}

/** Opens the store that `STORE` names. Rejects with a readable message if its database can't be reached. */
export async function openStore(address: StoreAddress): Promise<OpenStore> {
  switch (address.kind) {
    case "memory":
      return { store: memoryStore(), close: async () => {} };
    case "file":
      mkdirSync(dirname(address.path), { recursive: true, mode: 0o700 });
      return { store: sqliteStore({ path: address.path }), close: async () => {} };
    case "redis":
      return openRedis(address);
    case "postgres":
      return openPostgres(address);
    case "mongodb":
      return openMongodb(address);
  }
}

// Drivers are loaded only when used: loading one takes longer than everything else.

async function openRedis(address: DatabaseUrl): Promise<OpenStore> {
  const { connectRedis } = await import("./connect-redis.ts");
  const { redisStore } = await import("socket-session/redis");
  const client = await connectRedis(address, "STORE");
  return { store: redisStore({ client }), close: async () => client.destroy() };
}

async function openPostgres(address: DatabaseUrl): Promise<OpenStore> {
  const { connectPostgres } = await import("./connect-postgres.ts");
  const { postgresStore } = await import("socket-session/postgres");
  const pool = await connectPostgres(address, "STORE");
  return { store: postgresStore({ pool, createTableIfMissing: true }), close: () => pool.end() };
}

async function openMongodb(address: DatabaseUrl): Promise<OpenStore> {
  const { connectMongodb } = await import("./connect-mongodb.ts");
  const { mongodbStore } = await import("socket-session/mongodb");
  const { client, db } = await connectMongodb(address, "STORE");
  return { store: mongodbStore({ client, dbName: db.databaseName }), close: () => client.close() };
}
