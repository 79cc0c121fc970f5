/**
 * The stores whose round trips are counted, each beside the package whose format it keeps: both by clients of one kind,
 * that reach the database through a counter.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import MongoStore from "connect-mongo";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import session, { type Store } from "express-session";
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import type { Clock, SessionStore } from "socket-session";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { sqliteStore } from "socket-session/sqlite";
import { clearPlace, newPlace } from "../store-address.ts";
import { mongodbRequests } from "../wire/mongodb-requests.ts";
import { postgresRequests } from "../wire/postgres-requests.ts";
import { redisRequests } from "../wire/redis-requests.ts";
import { countSqlite } from "../wire/sqlite-requests.ts";
import { startWireCounter, type WireCounter } from "../wire/wire-counter.ts";
import type { ScenarioName } from "./round-trips.ts";

export interface CountedStore {
  readonly name: string;
  /** The server it needs, as `scripts/services.mjs` names it; none for a file. */
  readonly service?: "redis" | "postgres" | "mongodb" | "mongodb-replica";
  readonly peerName: string;
  /** Where it asks once more than the bound, and what for. */
  readonly oneMore?: { readonly scenarios: readonly ScenarioName[]; readonly why: string };
  /** `url`: of the server. */
  open(url: string, clock: Clock): Promise<OpenedStore>;
}

export interface OpenedStore {
  readonly counter: WireCounter;
  readonly store: SessionStore;
  /** Another package's, in a place of its own. */
  readonly peer: Store;
  /** Ends the clients, and removes all that was stored; `store` is closed before. */
  close(): Promise<void>;
}

async function openSqlite(_url: string, clock: Clock): Promise<OpenedStore> {
  const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
  const path = join(directory, "sessions.sqlite");
  const counter = countSqlite(path);
  const peer = new session.MemoryStore();
  for (const call of ["get", "set", "touch", "destroy"] as const) {
    const original: unknown = peer[call];
    if (typeof original !== "function") throw new Error(`Expected express-session's MemoryStore to ${call}.`);
    Reflect.set(peer, call, (...args: unknown[]) => {
      counter.note(call);
      Reflect.apply(original, peer, args);
    });
  }
  return {
    counter,
    store: sqliteStore({ path, clock }),
    peer,
    async close() {
      counter.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function openNodeRedis(url: string, clock: Clock): Promise<OpenedStore> {
  const { counter, place, peer, close } = await openConnectRedis(url);
  const client = await createClient({ url: counter.url }).connect();
  const store = redisStore({ client, prefix: `${place}:`, clock });
  return { counter, store, peer, close: () => close(() => client.destroy()) };
}

async function openIoRedis(url: string, clock: Clock): Promise<OpenedStore> {
  const { counter, place, peer, close } = await openConnectRedis(url);
  const client = new Redis(counter.url);
  const store = redisStore({ client, prefix: `${place}:`, clock });
  return { counter, store, peer, close: () => close(() => client.disconnect()) };
}

/** connect-redis takes clients of node-redis only. */
async function openConnectRedis(url: string) {
  const [place, peerPlace] = [newPlace(), newPlace()];
  const counter = await startWireCounter(url, redisRequests);
  const client = await createClient({ url: counter.url }).connect();
  const peer = new RedisStore({ client, prefix: `${peerPlace}:` });
  const close = async (closeStoreClient: () => void) => {
    closeStoreClient();
    client.destroy();
    counter.close();
    await clearPlaces("redis", url, place, peerPlace);
  };
  return { counter, place, peer, close };
}

async function openPostgres(url: string, clock: Clock): Promise<OpenedStore> {
  const [tableName, peerTable] = [newPlace(), newPlace()];
  const counter = await startWireCounter(url, postgresRequests);
  const [pool, peerPool] = [0, 1].map(() => new Pool({ connectionString: counter.url, max: 4 }));
  if (!pool || !peerPool) throw new Error("Expected two pools.");
  const PgStore = connectPgSimple(session);
  const peer = new PgStore({ pool: peerPool, tableName: peerTable, createTableIfMissing: true });
  return {
    counter,
    store: postgresStore({ pool, tableName, createTableIfMissing: true, clock }),
    peer,
    async close() {
      await peer.close();
      await Promise.all([pool.end(), peerPool.end()]);
      counter.close();
      await clearPlaces("postgres", url, tableName, peerTable);
    },
  };
}

async function openMongodb(url: string, clock: Clock): Promise<OpenedStore> {
  const [dbName, peerName] = [newPlace(), newPlace()];
  const counter = await startWireCounter(url, mongodbRequests);
  const client = await new MongoClient(counter.url).connect();
  const peerClient = await new MongoClient(counter.url).connect();
  return {
    counter,
    store: mongodbStore({ client, dbName, clock }),
    peer: MongoStore.create({ client: peerClient, dbName: peerName }),
    async close() {
      await Promise.all([client.close(), peerClient.close()]);
      counter.close();
      await clearPlaces("mongodb", url, dbName, peerName);
    },
  };
}

async function clearPlaces(kind: "redis" | "postgres" | "mongodb", url: string, ...places: string[]) {
  await Promise.all(places.map((place) => clearPlace({ kind, url, place })));
}

const redis = { service: "redis", peerName: "connect-redis 10" } as const;

export const countedStores: readonly CountedStore[] = [
  { name: "SQLite", peerName: "calls of a MemoryStore", open: openSqlite },
  { name: "Redis, node-redis", ...redis, open: openNodeRedis },
  { name: "Redis, ioredis", ...redis, open: openIoRedis },
  { name: "PostgreSQL", service: "postgres", peerName: "connect-pg-simple 10", open: openPostgres },
  {
    name: "MongoDB, standalone",
    service: "mongodb",
    peerName: "connect-mongo 6",
    oneMore: {
      scenarios: ["change", "loginAgain", "logout", "update"],
      why: "the message to the other nodes, in a collection of its own",
    },
    open: openMongodb,
  },
  {
    name: "MongoDB, replica set",
    service: "mongodb-replica",
    peerName: "connect-mongo 6",
    open: openMongodb,
  },
];
