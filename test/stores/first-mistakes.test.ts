/** Values given by mistake as a store or its client. Each message gives the expected value, the actual value, and the cure. */
import { DatabaseSync } from "node:sqlite";
import { MongoStore } from "connect-mongo";
import connectPgSimple from "connect-pg-simple";
import { RedisStore } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import session from "express-session";
import { Cluster, Redis } from "ioredis";
import createMemoryStore from "memorystore";
import { MongoClient } from "mongodb";
import { Client, Pool } from "pg";
import { createClient, createCluster } from "redis";
import { type LiveSessionsOptions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { sqliteStore } from "socket-session/sqlite";
import { afterAll, describe, expect, test, vi } from "vitest";
import { mongoose, mongooseCollection, mongooseConnection, oldClients } from "./old-clients.ts";

/** None of them connects. */
const url = "redis://127.0.0.1:1";
const redis = createClient({ url });
const redisCluster = createCluster({ rootNodes: [{ url }] });
const ioredis = new Redis({ lazyConnect: true });
const ioredisCluster = new Cluster([url], { lazyConnect: true });
const pool = new Pool();
const mongo = new MongoClient("mongodb://127.0.0.1:1/");
const sqlite = new DatabaseSync(":memory:");
afterAll(() => {
  ioredis.disconnect();
  ioredisCluster.disconnect();
  sqlite.close();
});

function refusalOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ code: "INVALID_OPTION", name: "SocketSessionError" });
    return error instanceof Error ? error.message : "";
  }
  throw new Error("Expected a refusal, but it was accepted.");
}

const secret = "a secret of thirty-two characters";
/** As JavaScript may call them. */
const withStore = (store: unknown) => () =>
  liveSessions({ store: store as LiveSessionsOptions["store"], secret });
const open = (make: (options: never) => unknown, options: unknown) => () =>
  Reflect.apply(make, undefined, [options]);

describe("a value given to liveSessions as its store", () => {
  test.each([
    [
      "memoryStore, not called",
      memoryStore,
      "the function memoryStore itself. Call it: store: memoryStore().",
    ],
    ["sqliteStore, not called", sqliteStore, 'Call it: store: sqliteStore({ path: "sessions.db" }).'],
    ["redisStore, not called", redisStore, "Call it: store: redisStore({ client })."],
    ["postgresStore, not called", postgresStore, "Call it: store: postgresStore({ pool })."],
    ["mongodbStore, not called", mongodbStore, "Call it: store: mongodbStore({ client, dbName })."],
    ["a class", RedisStore, "the class RedisStore itself. Make one: store: new RedisStore(…)."],
    ["MemoryStore of express-session", session.MemoryStore, "Make one: store: new MemoryStore(…)."],
    ["what makes a class", createMemoryStore, "a function. Call it if it makes a store"],
    [
      "a promise of a store",
      Promise.resolve(memoryStore()),
      "a promise. Await it, and give what it resolves to.",
    ],
    ["a client of redis", redis, "a Redis client. Write redisStore({ client })."],
    ["a Cluster of redis", redisCluster, "a Redis client. Write redisStore({ client })."],
    ["a client of ioredis", ioredis, "a Redis client. Write redisStore({ client })."],
    ["a Cluster of ioredis", ioredisCluster, "a Redis client. Write redisStore({ client })."],
    ["a client of redis 3", oldClients.redis3, "a Redis client. Write redisStore({ client })."],
    ["a Pool of pg", pool, "a Pool of pg. Write postgresStore({ pool })."],
    [
      "a Client of pg",
      new Client(),
      "a Client of pg. A store needs a Pool: write postgresStore({ pool: new Pool(…) }).",
    ],
    ["a MongoClient", mongo, "a MongoClient. Write mongodbStore({ client, dbName })."],
    [
      "a database",
      mongo.db("app"),
      "a database of the driver mongodb. Write mongodbStore({ client, dbName }).",
    ],
    [
      "a collection",
      mongo.db("app").collection("sessions"),
      "a collection of the driver mongodb. Write mongodbStore({ collection }).",
    ],
    [
      "Mongoose",
      mongoose,
      "Mongoose itself. With Mongoose 8 or later write mongodbStore({ client: mongoose.connection.getClient() })",
    ],
    [
      "a connection of Mongoose",
      mongooseConnection,
      "a connection of Mongoose. With Mongoose 8 or later write",
    ],
    ["a database of SQLite", sqlite, 'a database of SQLite. Write sqliteStore({ path: "sessions.db" })'],
  ])("%s", (_what, store, cameAndCure) => {
    const destroy = vi.spyOn(redis, "destroy");
    const message = refusalOf(withStore(store));
    expect(message).toMatch(/^`store` expects a session store; it was /);
    expect(message).toContain(cameAndCure);
    expect(destroy, "nothing has happened to it").not.toHaveBeenCalled();
  });

  test.each<[string, () => object]>([
    ["connect-redis 10", () => new RedisStore({ client: redis })],
    ["connect-redis 9", () => new RedisStore9({ client: redis })],
    ["connect-pg-simple", () => new (connectPgSimple(session))({ pool, pruneSessionInterval: false })],
    ["memorystore", () => new (createMemoryStore(session))({})],
    ["MemoryStore", () => new session.MemoryStore()],
    ["connect-mongo", () => MongoStore.create({ client: mongo, autoRemove: "disabled" })],
    ["one of its own kind", () => ({ get() {}, set() {}, destroy() {} })],
    [
      "one that forwards to its client",
      () => Object.assign(new session.MemoryStore(), { sendCommand() {}, query() {}, connect() {} }),
    ],
  ])("a store of express-session is accepted: %s", async (_what, make) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const sessions = withStore(make())();
    expect(sessions.stats().store.atomic).toBe(false);
    await sessions.close();
    warn.mockRestore();
  });
});

describe("a value given to a store in place of its options", () => {
  test.each<[string, (options: never) => unknown, unknown, string]>([
    [
      "a client",
      redisStore,
      redis,
      "redisStore() expects an object of options; it was a Redis client. Write redisStore({ client }).",
    ],
    ["an ioredis", redisStore, ioredis, "it was a Redis client. Write redisStore({ client })."],
    [
      "a URL",
      redisStore,
      url,
      "redisStore() expects an object of options; it was a string of 19 characters. Write redisStore({ client }), with a connected client",
    ],
    ["another database's client", redisStore, pool, "it was a Pool of pg. Write postgresStore({ pool })."],
    [
      "a pool",
      postgresStore,
      pool,
      "postgresStore() expects an object of options; it was a Pool of pg. Write postgresStore({ pool }).",
    ],
    [
      "a URL",
      postgresStore,
      "postgres://127.0.0.1/",
      "postgresStore() expects an object of options; it was a string of 21 characters. Write postgresStore({ pool }), with a `new Pool(…)`",
    ],
    [
      "a client",
      mongodbStore,
      mongo,
      "mongodbStore() expects an object of options; it was a MongoClient. Write mongodbStore({ client, dbName }).",
    ],
    [
      "a connection of Mongoose",
      mongodbStore,
      mongooseConnection,
      "it was a connection of Mongoose. With Mongoose 8 or later write mongodbStore({ client: mongoose.connection.getClient() }), once it is connected; with an older one keep the express-session store that you have.",
    ],
    ["a promise", mongodbStore, Promise.resolve(mongo), "it was a promise. Await it"],
    [
      "a path",
      sqliteStore,
      "sessions.db",
      'sqliteStore() expects an object of options; it was a string of 11 characters. Write sqliteStore({ path: "sessions.db" }).',
    ],
    ["a database", sqliteStore, sqlite, "it was a database of SQLite. Write sqliteStore({ path"],
    [
      "a number",
      memoryStore,
      100,
      "memoryStore() expects an object of options; it was a number. Write memoryStore().",
    ],
  ])("%s to %o", (_what, make, options, message) => {
    expect(refusalOf(open(make, options))).toContain(message);
  });
});

describe("an option that is misspelt is refused, with the nearest that there is", () => {
  const live = (options: object) => liveSessions({ store: memoryStore(), secret, ...options });
  const wrapped = (options: object) => liveSessions({ store: new session.MemoryStore(), secret, ...options });
  test.each<[string, (options: never) => unknown, object, misspelt: string, nearest: string]>([
    ["liveSessions()", live, {}, "ttlMS", "ttlMs"],
    ["liveSessions()", wrapped, {}, "shareStore", "sharedStore"],
    ["memoryStore()", memoryStore, {}, "clok", "clock"],
    ["sqliteStore()", sqliteStore, { path: ":memory:" }, "pollInterval", "pollIntervalMs"],
    ["redisStore()", redisStore, {}, "clinet", "client"],
    ["redisStore()", redisStore, { client: redis }, "serialiser", "serializer"],
    ["postgresStore()", postgresStore, { pool }, "tabelName", "tableName"],
    ["mongodbStore()", mongodbStore, { client: mongo }, "colectionName", "collectionName"],
  ])("by %s", (what, make, options, misspelt, nearest) => {
    expect(refusalOf(open(make, { ...options, [misspelt]: "a value" }))).toBe(
      `${what} has no option \`${misspelt}\`. Write \`${nearest}\` instead.`,
    );
  });
});

describe("options that belong elsewhere", () => {
  const makeClient = "Make a client with it, and give that: `const client = createClient({ url });";
  const makePool =
    "Make a Pool of `pg` with it, and give that: postgresStore({ pool: new Pool({ connectionString }) }).";
  const makeMongo =
    "Make a client with it, which stays yours to close: mongodbStore({ client: new MongoClient(url), dbName }).";
  const givePath = 'Give the path of the sessions\' own file: sqliteStore({ path: "sessions.db" }).';
  test.each<[string, (options: never) => unknown, object, string]>([
    ["url", redisStore, { url }, makeClient],
    ["host", redisStore, { host: "127.0.0.1", port: 1 }, makeClient],
    [
      "ttlMs",
      redisStore,
      { client: redis, ttlMs: 1 },
      "It is an option of liveSessions(), in milliseconds; this store has `ttl`, in seconds.",
    ],
    ["connectionString", postgresStore, { connectionString: "postgres://127.0.0.1/" }, makePool],
    ["conString", postgresStore, { conString: "postgres://127.0.0.1/" }, makePool],
    ["host", postgresStore, { host: "127.0.0.1" }, makePool],
    ["mongoUrl", mongodbStore, { mongoUrl: "mongodb://127.0.0.1/" }, makeMongo],
    [
      "mongooseConnection",
      mongodbStore,
      { mongooseConnection },
      "Write mongodbStore({ client: mongoose.connection.getClient() }).",
    ],
    [
      "clientPromise",
      mongodbStore,
      { clientPromise: Promise.resolve(mongo) },
      "Await it, and give the client: mongodbStore({ client: await clientPromise }).",
    ],
    ["filename", sqliteStore, { filename: "sessions.db" }, givePath],
    ["file", sqliteStore, { file: "sessions.db" }, givePath],
    ["client", sqliteStore, { client: sqlite }, givePath],
    ["ttl", sqliteStore, { path: ":memory:", ttl: 60 }, "Set `ttlMs` of liveSessions(), or `cookie.maxAge`."],
    [
      "checkPeriod",
      memoryStore,
      { checkPeriod: 1 },
      "Leave it out: sessions whose time is over are removed within a minute.",
    ],
    ["secret", memoryStore, { secret }, "It is an option of liveSessions()."],
  ])("%s, to %o", (option, make, options, cure) => {
    expect(refusalOf(open(make, options))).toContain(`${make.name}() has no option \`${option}\`. ${cure}`);
  });
});

describe("a life time that is not a number of seconds", () => {
  test.each<[string, (options: never) => unknown, object]>([
    ["redisStore", redisStore, { client: redis }],
    ["postgresStore", postgresStore, { pool }],
    ["mongodbStore", mongodbStore, { client: mongo }],
  ])("is refused by %s", (name, make, options) => {
    for (const [ttl, came] of [
      ["1h", '"1h"'],
      [0, "0"],
      [-1, "-1"],
      [Number.NaN, "NaN"],
      [null, "null"],
    ]) {
      expect(refusalOf(open(make, { ...options, ttl }))).toContain(
        `\`ttl\` of ${name}() expects a number of seconds greater than 0, 100000000000 at most; it was ${came}. Leave it out for the default.`,
      );
    }
  });
});

describe("a client of an older release", () => {
  const keep =
    "or later; or keep the express-session store that you have: liveSessions({ store: yourStore }).";
  test.each<[string, (options: never) => unknown, object, string, string]>([
    [
      "redis 3",
      redisStore,
      { client: oldClients.redis3 },
      "`redis` (createClient or createCluster) or `ioredis`, 5 or later; it was one of redis 3 or older",
      `Update \`redis\` to 5 ${keep}`,
    ],
    [
      "redis 4",
      redisStore,
      { client: oldClients.redis4 },
      "5 or later; it was one of redis 4",
      `Update \`redis\` to 5 ${keep}`,
    ],
    [
      "ioredis 4",
      redisStore,
      { client: oldClients.ioredis4 },
      "5 or later; it was one of ioredis 4 or older",
      `Update \`ioredis\` to 5 ${keep}`,
    ],
    [
      "ioredis 4, a Cluster",
      redisStore,
      { client: oldClients.ioredis4Cluster },
      "it was one of ioredis 4 or older",
      `Update \`ioredis\` to 5 ${keep}`,
    ],
    [
      "pg 7",
      postgresStore,
      { pool: oldClients.pg7 },
      "`pool` of postgresStore() expects a Pool of `pg` 8 or later; it was one of pg 7 or older",
      `Update \`pg\` to 8 ${keep}`,
    ],
    [
      "mongodb 2",
      mongodbStore,
      { client: oldClients.mongodb2 },
      "`client` of mongodbStore() expects a MongoClient of the driver mongodb, 6 or later; it was one of mongodb 2 or older",
      "Update `mongodb` to 6 or later (Mongoose to 8 or later); or keep the express-session store",
    ],
    [
      "mongodb 3",
      mongodbStore,
      { client: oldClients.mongodb3 },
      "`client` of mongodbStore() expects a MongoClient of the driver mongodb, 6 or later; it was one of mongodb 3 or older",
      "Update `mongodb` to 6 or later (Mongoose to 8 or later); or keep the express-session store",
    ],
    [
      "mongodb 4",
      mongodbStore,
      { client: oldClients.mongodb4 },
      "it was one of mongodb 4.",
      "(Mongoose to 8 or later)",
    ],
    [
      "mongodb 5",
      mongodbStore,
      { client: oldClients.mongodb5 },
      "it was one of mongodb 5.",
      "Update `mongodb` to 6",
    ],
    [
      "mongodb 4, a collection",
      mongodbStore,
      { collection: oldClients.collection4 },
      "`collection` of mongodbStore() expects a collection of the driver mongodb, 6 or later; it was an object of Collection that exposes neither its database nor its client",
      "Give `client` and `dbName` instead",
    ],
    [
      "mongodb 5, a collection",
      mongodbStore,
      { collection: oldClients.collection5 },
      "it was one of mongodb 5.",
      "Update `mongodb` to 6",
    ],
  ])("of %s is refused when the store is created", (_version, make, options, came, cure) => {
    const message = refusalOf(open(make, options));
    expect(message).toContain(came);
    expect(message).toContain(cure);
  });
});

describe("a value that is not a client", () => {
  test.each<[string, (options: never) => unknown, object, string]>([
    [
      "a Redis client as pool",
      postgresStore,
      { pool: redis },
      "it was a Redis client. Write redisStore({ client }).",
    ],
    [
      "a Client of pg as pool",
      postgresStore,
      { pool: new Client() },
      "it was a Client of pg. A store needs a Pool",
    ],
    [
      "a pool as Redis client",
      redisStore,
      { client: pool },
      "it was a Pool of pg. Write postgresStore({ pool }).",
    ],
    ["a promise of a client", mongodbStore, { client: Promise.resolve(mongo) }, "it was a promise. Await it"],
    [
      "Mongoose",
      mongodbStore,
      { client: mongoose },
      "it was Mongoose itself. With Mongoose 8 or later write",
    ],
    ["its connection", mongodbStore, { client: mongooseConnection }, "it was a connection of Mongoose. With"],
    [
      "its client before it is connected",
      mongodbStore,
      { client: undefined },
      "it was undefined. Give `client: new MongoClient(url)`. With Mongoose, give `mongoose.connection.getClient()` once",
    ],
    [
      "its collection",
      mongodbStore,
      { collection: mongooseCollection },
      "it was one of Mongoose. Write mongodbStore({ client: mongoose.connection.getClient(), collectionName }).",
    ],
    [
      "a database",
      mongodbStore,
      { client: mongo.db("app") },
      "it was a database of the driver mongodb. Write mongodbStore({ client, dbName }).",
    ],
  ])("%s", (_what, make, options, message) => {
    expect(refusalOf(open(make, options))).toContain(message);
  });
});
