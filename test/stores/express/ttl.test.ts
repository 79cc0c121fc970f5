/** A session whose cookie has no life time lives as long as the store that holds it says. */

import MongoStore from "connect-mongo";
import connectPgSimple from "connect-pg-simple";
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import session from "express-session";
import memorystore from "memorystore";
import { afterEach, describe, expect, it } from "vitest";
import type { ExpressStore } from "../../../src/stores/express/shape.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { ownTtlMs } from "../../../src/stores/express/ttl.ts";
import { withService } from "../../setup/services.ts";
import { startWorld, type World } from "../../support/world.ts";
import { databaseOfTest } from "../mongodb/databases.ts";
import { describeWithPostgres, testStore, testTable } from "../postgres/tables.ts";
import { clientForTest, newPrefix, rawClient } from "../redis/clients.ts";
import { keyOf } from "../session-keys.ts";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;
const fortnight = 14 * DAY;
const MemoryStore = memorystore(session);

/** How long the database will keep the one session that it has. */
type Remaining = () => Promise<number>;

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

/** Requests and a socket over the store; what it keeps the session for after each. */
async function livesOver(store: session.Store, remaining: Remaining, options: object = {}) {
  world = await startWorld({ store, touchIntervalMs: 0, ...options });
  const lives: number[] = [];
  const ada = await world.visitor({ name: "ada" });
  lives.push(await remaining());
  await ada.get("/session"); // a touch
  lives.push(await remaining());
  await ada.post("/write", { n: 1 });
  lives.push(await remaining());
  await ada.post("/update");
  lives.push(await remaining());
  await ada.connect(); // a touch
  await expect.poll(() => world?.sessions.stats().touches).toBeGreaterThan(1);
  lives.push(await remaining());
  return { lives, ada };
}

/** Within a minute of `ms`. */
const about = (ms: number, count: number) =>
  Array(count).fill(expect.toSatisfy((value: number) => Math.abs(value - ms) < MINUTE, `about ${ms} ms`));

/** With a ttl of the store, with its `standard` one, and where the application says how long. */
async function expectLives(
  open: (ttl: number | undefined) => Promise<[session.Store, Remaining]>,
  standard: number,
) {
  const [store, remaining] = await open(fortnight / 1000);
  const own = await livesOver(store, remaining);
  expect(own.lives).toEqual(about(fortnight, 5));
  expect(JSON.parse(await own.ada.get("/session")).data).toMatchObject({ name: "ada", n: 2 });
  await world?.close();

  expect((await livesOver(...(await open(undefined)))).lives).toEqual(about(standard, 5));
  await world?.close();

  // what the application says goes before what the store says
  expect((await livesOver(...(await open(fortnight / 1000)), { ttlMs: 2 * DAY })).lives).toEqual(
    about(2 * DAY, 5),
  );
  await world?.close();
  const lasting = { cookie: { maxAge: 3 * DAY } };
  expect((await livesOver(...(await open(fortnight / 1000)), lasting)).lives).toEqual(about(3 * DAY, 5));
}

const redis = withService("redis");
redis.describe.each([
  { version: 9, RedisStore: RedisStore9 },
  { version: 10, RedisStore: RedisStore10 },
])("over connect-redis $version", ({ RedisStore }) => {
  async function open(ttl: number | undefined): Promise<[session.Store, Remaining]> {
    const raw = rawClient(redis.url);
    const prefix = newPrefix();
    const client = await clientForTest("redis", redis.url);
    const store = new RedisStore({ client, prefix, ...(ttl === undefined ? {} : { ttl }) });
    const remaining = async () => raw.pttl((await raw.keys(`${prefix}*`))[0] ?? "none");
    return [store, remaining];
  }

  it("the store's ttl decides, after a write, a touch and an update", () => expectLives(open, DAY));

  it("a ttl that is a function decides as well", async () => {
    const [store, remaining] = await open(undefined);
    Object.assign(store, { ttl: () => fortnight / 1000 });
    expect((await livesOver(store, remaining)).lives).toEqual(about(fortnight, 5));
  });
});

describe.each([withService("mongodb"), withService("mongodb-replica")])("server %#", (mongodb) => {
  mongodb.describe("over connect-mongo", () => {
    async function open(ttl: number | undefined): Promise<[session.Store, Remaining]> {
      const { client, name } = await databaseOfTest(mongodb.url);
      const store = MongoStore.create({ client, dbName: name, ...(ttl === undefined ? {} : { ttl }) });
      const remaining = async () => {
        const found = await client.db(name).collection("sessions").findOne();
        return found?.expires.getTime() - Date.now();
      };
      return [store, remaining];
    }

    it("the store's ttl decides, after a write, a touch and an update", () => expectLives(open, fortnight));
  });
});

describeWithPostgres("over connect-pg-simple", () => {
  async function open(ttl: number | undefined): Promise<[session.Store, Remaining]> {
    const { tableName, pool } = testTable();
    await testStore({ pool, tableName }).read(keyOf("none")); // makes the table
    const PgStore = connectPgSimple(session);
    const own = ttl === undefined ? {} : { ttl };
    const store = new PgStore({
      pool,
      tableName,
      pruneSessionInterval: false,
      ...own,
    });
    const remaining = async () => {
      const { rows } = await pool.query(`SELECT extract(epoch FROM expire) AS at FROM "${tableName}"`);
      return Number(rows[0]?.at) * 1000 - Date.now();
    };
    return [store, remaining];
  }

  it("the store's ttl decides, after a write, a touch and an update", () => expectLives(open, DAY));
});

describe("the cookie that a store is given", () => {
  const handed: session.SessionData[] = [];
  const keep: ExpressStore["set"] = (_sid, given, callback) => {
    if ("cookie" in given) handed.push(given as session.SessionData);
    callback();
  };
  const store = (): ExpressStore => ({
    get: (_sid, callback) => callback(null, { cookie: { originalMaxAge: null, expires: null } }),
    set: keep,
    touch: keep,
    destroy: (_sid, callback) => callback(),
  });

  it("has no expiry, as from express-session, if the session has no life time of its own", async () => {
    const cookie = JSON.parse(JSON.stringify(new session.Cookie()));
    const wrapped = fromExpressStore(store());
    await wrapped.create(keyOf("a"), { cookie }, Date.now() + DAY, undefined, true);
    await wrapped.touch(keyOf("a"), Date.now() + 2 * DAY, cookie);
    expect(handed).toHaveLength(2);
    for (const { cookie: given } of handed) {
      expect(given.expires).toBeNull();
      expect(given.maxAge).toBeNull();
      expect(JSON.stringify(given)).toBe(JSON.stringify(new session.Cookie()));
    }
  });
});

describe("the ttl of a store", () => {
  it("is the store's own, in its own unit", () => {
    expect(ownTtlMs(new MemoryStore({ ttl: 5_000 }))).toBe(5_000);
    expect(ownTtlMs(new MemoryStore({ ttl: () => 5_000 }))).toBeUndefined();
    expect(ownTtlMs(new MemoryStore({}))).toBeUndefined();
    expect(ownTtlMs(new session.MemoryStore())).toBeUndefined();
    expect(ownTtlMs({ options: { ttl: 3_600, reapInterval: 3_600 } })).toBe(3_600_000); // session-file-store
    expect(ownTtlMs({ ttl: Number.NaN })).toBeUndefined();
    expect(fromExpressStore(new MemoryStore({ ttl: 5_000 })).ttlMs).toBe(5_000);
    expect(fromExpressStore(new session.MemoryStore()).ttlMs).toBe(DAY);
  });

  it("is the session's, and its touches depend on it", async () => {
    const inner = new MemoryStore({ ttl: 30_000 });
    world = await startWorld({ store: inner });
    const ada = await world.visitor();
    const expiresAt = await new Promise((resolve) => {
      world?.io.once("connection", (socket) => resolve(socket.session.expiresAt));
      void ada.connect();
    });
    expect(Number(expiresAt) - Date.now()).toBeLessThanOrEqual(30_000);
  });
});
