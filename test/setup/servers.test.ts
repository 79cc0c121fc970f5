import pg from "pg";
import { createClient, createCluster } from "redis";
import { afterEach, describe, expect, test } from "vitest";
import { startPostgres } from "../../scripts/services/postgres.mjs";
import { startRedis } from "../../scripts/services/redis.mjs";
import { withService } from "./services.ts";

const redis = withService("redis");
const cluster = withService("redis-cluster");
const postgres = withService("postgres");

const open: { close(): Promise<unknown> }[] = [];
const opened = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

async function redisClient(url: string) {
  const client = createClient({ url, socket: { reconnectStrategy: false } });
  client.on("error", () => {});
  await client.connect();
  open.push({ close: async () => client.destroy() });
  return client;
}

async function pgClient(connectionString: string) {
  const client = new pg.Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  open.push({ close: () => client.end() });
  return client;
}

redis.describe("the Redis of the tests", () => {
  test("has every write on disk before it answers, and publishes no keyspace events by itself", async () => {
    const client = await redisClient(redis.url);
    expect(await client.configGet("append*")).toMatchObject({ appendonly: "yes", appendfsync: "always" });
    expect(await client.configGet("notify-keyspace-events")).toEqual({ "notify-keyspace-events": "" });
  });

  test("a server of one's own keeps its port and data when it is killed and started again", async () => {
    const server = opened(await startRedis());
    const { url, pid } = server;
    await (await redisClient(url)).set("key", "value");
    await server.kill();
    expect(server.pid).toBeUndefined();
    await expect(redisClient(url)).rejects.toThrow("ECONNREFUSED");
    await server.start();
    expect(server.pid).not.toBe(pid);
    expect(await (await redisClient(url)).get("key")).toBe("value");
  });

  test("a frozen server answers when it is thawed", async () => {
    const server = opened(await startRedis());
    const client = await redisClient(server.url);
    server.freeze();
    let answered = false;
    const answer = client.ping().then(() => {
      answered = true;
    });
    // Another server's round trips take longer than one of a server that isn't frozen would.
    const other = await redisClient(redis.url);
    for (let trip = 0; trip < 20; trip++) await other.ping();
    expect(answered).toBe(false);
    server.thaw();
    await answer;
  });
});

cluster.describe("the Redis Cluster of the tests", () => {
  test("has three masters, and keys on all of them", async () => {
    const urls = cluster.url.split(",");
    const client = createCluster({ rootNodes: urls.map((url) => ({ url })) });
    await client.connect();
    open.push({ close: async () => client.destroy() });
    expect(client.masters).toHaveLength(3);
    const keys = Array.from({ length: 20 }, (_, index) => `servers-test-${index}`);
    for (const key of keys) await client.set(key, key, { expiration: { type: "EX", value: 10 } });
    for (const key of keys) expect(await client.get(key)).toBe(key);
  });
});

postgres.describe("the PostgreSQL of the tests", () => {
  test("has every commit on disk before it answers", async () => {
    const client = await pgClient(postgres.url);
    const { rows } = await client.query(
      "SELECT current_setting('synchronous_commit') AS c, current_setting('fsync') AS f",
    );
    expect(rows).toEqual([{ c: "on", f: "on" }]);
  });

  test("a server of one's own keeps its port and data when it is killed and started again", async () => {
    const server = opened(await startPostgres());
    const client = await pgClient(server.url);
    await client.query("CREATE TABLE kept (value int)");
    await client.query("INSERT INTO kept VALUES (1)");
    await server.kill();
    await expect(pgClient(server.url)).rejects.toThrow("ECONNREFUSED");
    await server.start();
    expect((await (await pgClient(server.url)).query("SELECT * FROM kept")).rows).toEqual([{ value: 1 }]);
  });
});

describe("a server", () => {
  test.skipIf(redis.isMissing)("that cannot start says why", async () => {
    await expect(startRedis({ extraArgs: ["--no-such-option", "1"] })).rejects.toThrow(/no-such-option/);
  });
});
