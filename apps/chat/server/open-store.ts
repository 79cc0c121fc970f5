import { mkdirSync } from "node:fs";
import { dirname } from "node:path";
import type { SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { sqliteStore } from "socket-session/sqlite";
import { connectMongodb, connectPostgres, connectRedis } from "./connect.ts";
import type { StoreAddress } from "./store-address.ts";

export interface OpenStore {
  readonly store: SessionStore;
  /** Closes the client that was made for the store: after the sessions, which close the store. */
  close(): Promise<void>;
}

/** Opens what `STORE` names. Rejects in words where its database can't be reached. */
export async function openStore(address: StoreAddress): Promise<OpenStore> {
  switch (address.kind) {
    case "memory":
      return { store: memoryStore(), close: async () => {} };
    case "file":
      mkdirSync(dirname(address.path), { recursive: true, mode: 0o700 });
      return { store: sqliteStore({ path: address.path }), close: async () => {} };
    case "redis": {
      const client = await connectRedis(address, "STORE");
      return { store: redisStore({ client }), close: async () => client.destroy() };
    }
    case "postgres": {
      const pool = await connectPostgres(address, "STORE");
      return { store: postgresStore({ pool, createTableIfMissing: true }), close: () => pool.end() };
    }
    case "mongodb": {
      const { client, db } = await connectMongodb(address, "STORE");
      return { store: mongodbStore({ client, dbName: db.databaseName }), close: () => client.close() };
    }
  }
}
