/** Errors of a database that is not set up yet: the message names the mistake, and the cure. */
import { Redis } from "ioredis";
import { MongoClient } from "mongodb";
import { Pool } from "pg";
import { createClient } from "redis";
import { type LiveSessionsOptions, liveSessions, SocketSessionError } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { mongodbStore } from "socket-session/mongodb";
import { postgresStore } from "socket-session/postgres";
import { redisStore } from "socket-session/redis";
import { beforeAll, expect, onTestFinished, test } from "vitest";
import { withService } from "../setup/services.ts";
import { describeWithPostgres, newName, postgresUrl, restrictedPool, testSchema } from "./postgres/tables.ts";
import { rawClient } from "./redis/clients.ts";
import { ownRedis } from "./redis/server.ts";

const unreachable = "The database can't be reached: check that it runs, and the address that the client has.";
const refused = "The database refuses the user or the password: check those that the client has.";
const forbidden = "The database's user may not do this: grant what the page of the store lists.";

/** The messages of what a request gets, and of the first `error` event where the feed fails too. */
async function said(store: LiveSessionsOptions["store"], feedFails = true): Promise<string[]> {
  const sessions = liveSessions({
    store,
    secret: "a secret of thirty-two characters",
    storeTimeoutMs: 5_000,
  });
  const event = new Promise<string>((resolve) => sessions.once("error", (error) => resolve(textOf(error))));
  const answer = new Promise<string>((resolve) =>
    sessions.store().get("an id", (error) => resolve(textOf(error))),
  );
  const both = await Promise.all(feedFails ? [answer, event] : [answer]);
  await sessions.close();
  return both;
}

function textOf(error: unknown): string {
  return error instanceof SocketSessionError
    ? `${error.code}: ${error.message}`
    : `no error of ours: ${error}`;
}

describeWithPostgres("PostgreSQL", () => {
  const open = (pool: Pool) => {
    pool.on("error", () => {});
    onTestFinished(() => pool.end());
    return postgresStore({ pool, createTableIfMissing: true });
  };

  test("that is down", async () => {
    const [answer, event] = await said(open(new Pool({ host: "127.0.0.1", port: 1 })));
    expect(answer).toMatch(
      /^STORE_FAILED: The read of session \S+ in the postgres store failed: \w+ ECONNREFUSED\. /,
    );
    expect(answer).toContain(unreachable);
    expect(event).toMatch(
      /^STORE_FEED_BROKEN: The change feed of the postgres store is cut \(\w+ ECONNREFUSED\)\. /,
    );
    expect(event).toContain(unreachable);
  });

  test("without the database", async () => {
    const url = new URL(postgresUrl());
    url.pathname = "/nowhere";
    for (const message of await said(open(new Pool({ connectionString: url.href }))))
      expect(message).toMatch(
        /error 3D000\b.* There is no database of that name: create it, or correct the name/,
      );
  });

  test("with a user without the privileges", async () => {
    const { schemaName, pool } = await testSchema();
    await pool.query(
      `CREATE TABLE ${schemaName}.session (sid varchar PRIMARY KEY, sess json, expire timestamp)`,
    );
    await pool.query(`REVOKE ALL ON ${schemaName}.session FROM PUBLIC`);
    const restricted = await restrictedPool(pool, schemaName);
    const [answer] = await said(postgresStore({ pool: restricted, schemaName }), false);
    expect(answer).toContain(`error 42501. ${forbidden}`);
  });

  test("whose pool has been ended", async () => {
    const pool = new Pool({ connectionString: postgresUrl() });
    await pool.end();
    for (const message of await said(postgresStore({ pool })))
      expect(message).toContain(
        "postgresStore() expects a pool that is open; it was one that has been ended. End it after sessions.close().",
      );
  });
});

withService("redis").describe("Redis", () => {
  const server = ownRedis();
  beforeAll(async () => {
    const admin = new Redis(server.url);
    await admin.config("SET", "requirepass", "right");
    admin.disconnect();
  });
  const withPassword = (password: string) => server.url.replace("//", `//:${password}@`);
  const open = {
    redis: (url: string) => {
      const client = createClient({ url });
      client.on("error", () => {});
      client.connect().catch(() => {}); // the store says it too
      onTestFinished(() => client.destroy());
      return redisStore({ client });
    },
    ioredis: (url: string) => {
      const client = new Redis(url, { maxRetriesPerRequest: 0 });
      client.on("error", () => {});
      onTestFinished(() => client.disconnect());
      return redisStore({ client });
    },
  };

  test("that is down, of ioredis", async () => {
    for (const message of await said(open.ioredis("redis://127.0.0.1:1")))
      expect(message).toContain(unreachable);
  });

  test.each(["redis", "ioredis"] as const)("without a password, of %s", async (from) => {
    for (const message of await said(open[from](server.url))) {
      expect(message).toContain("NOAUTH");
      expect(message).toContain(refused);
    }
  });

  test.each(["redis", "ioredis"] as const)("with another password, of %s", async (from) => {
    for (const message of await said(open[from](withPassword("wrong")))) {
      expect(message).toMatch(/NOAUTH|WRONGPASS/);
      expect(message).toContain(refused);
    }
  });

  test.each(["redis", "ioredis"] as const)("with a user without the privileges, of %s", async (from) => {
    const admin = rawClient(withPassword("right"));
    await admin.acl(
      "SETUSER",
      "app",
      "reset",
      "on",
      ">pw",
      "resetkeys",
      "resetchannels",
      "+@connection",
      "+info",
      "+get",
    );
    for (const message of await said(open[from](server.url.replace("//", "//app:pw@")))) {
      expect(message).toContain("NOPERM");
      expect(message).toContain(forbidden);
    }
  });
});

withService("mongodb").describe("MongoDB", () => {
  test("that is down", async () => {
    const client = new MongoClient("mongodb://127.0.0.1:1/", { serverSelectionTimeoutMS: 100 });
    onTestFinished(() => client.close());
    const [answer, event] = await said(mongodbStore({ client }));
    for (const message of [answer, event]) expect(message).toContain("database can't be reached");
  });

  test("whose client has been closed", async () => {
    const client = new MongoClient(withService("mongodb").url);
    await client.connect();
    await client.close();
    for (const message of await said(mongodbStore({ client, dbName: newName() })))
      expect(message).toContain("or the client has been closed. Close it after sessions.close().");
  });
});

test.each([
  ["a wrong password of PostgreSQL", { name: "error", code: "28P01" }, refused],
  ["a user whom PostgreSQL does not let in", { name: "error", code: "28000" }, refused],
  ["a wrong password of MongoDB", { name: "MongoServerError", code: 18 }, refused],
  ["a user of MongoDB who may not", { name: "MongoServerError", code: 13 }, forbidden],
  ["a name that is not known", { code: "ENOTFOUND" }, unreachable],
  [
    "a replica",
    { name: "ReplyError", message: "READONLY You can't write" },
    "This server is read-only: connect the client to the primary.",
  ],
  [
    "a Cluster",
    { name: "ReplyError", message: "MOVED 1 host:1" },
    "This is a Redis Cluster: make the client with createCluster()",
  ],
  ["anything else", { code: "53300" }, "failed: Error 53300. See its cause."],
])("%s", async (_what, error, cure) => {
  const store = memoryStore();
  store.read = () => Promise.reject(Object.assign(new Error("s3cret"), error));
  const sessions = liveSessions({ store, secret: "a secret of thirty-two characters" });
  const message = await new Promise<string>((resolve) =>
    sessions.store().get("an id", (failure) => resolve(textOf(failure))),
  );
  expect(message).toContain(cure);
  expect(message).not.toContain("s3cret");
  await sessions.close();
});
