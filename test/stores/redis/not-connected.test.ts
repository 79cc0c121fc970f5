/** A client that was not connected, or has been closed: every operation and the feed report it, with the cure. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import { afterEach, expect, test } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { type RedisStoreOptions, redisStore } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { startWorld, type World } from "../../support/world.ts";
import { openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { newPrefix, storeForTest } from "./clients.ts";

const redis = withService("redis");
const cluster = withService("redis-cluster");

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const key = keyOf("a session");
const later = () => Date.now() + 60_000;
const notConnected = {
  code: "STORE_OPEN",
  message: expect.stringMatching(
    /^redisStore\(\) expects a client that is connected; it was one that is not: .* Write `await client\.connect\(\)` before liveSessions\(\)/,
  ),
};

const operations: Record<string, (store: SessionStore) => unknown> = {
  read: (store) => store.read(key),
  create: (store) => store.create(key, { cookie: {} }, later(), "ada"),
  replace: (store) => store.replace(key, "a revision", { cookie: {} }, "keep"),
  touch: (store) => store.touch(key, later(), {}),
  destroy: (store) => store.destroy(key, "destroyed"),
  listByUser: (store) => store.listByUser?.("ada"),
  putTicket: (store) => store.putTicket?.("a ticket", "{}", later()),
  takeTicket: (store) => store.takeTicket?.("a ticket"),
  all: (store) => store.all?.(),
  count: (store) => store.count?.(),
  clear: (store) => store.clear?.(),
  changes: (store) => openFeed(store),
};

type Client = RedisStoreOptions["client"];

async function expectRefused(client: Client): Promise<void> {
  const store = storeForTest({ client, prefix: newPrefix() });
  for (const [name, run] of Object.entries(operations))
    await expect(run(store), name).rejects.toMatchObject(notConnected);
}

redis.describe("a client of Redis", () => {
  test("that was never connected, of redis", async () => {
    await expectRefused(createClient({ url: redis.url }));
  });

  test("that has been closed, of redis", async () => {
    const client = createClient({ url: redis.url });
    await client.connect();
    client.destroy();
    await expectRefused(client);
  });

  test("that has been closed, of ioredis", async () => {
    const client = new Redis(redis.url);
    const ended = new Promise((resolve) => client.once("end", resolve));
    await client.quit();
    await ended;
    await expectRefused(client);
  });

  test("is named at once by the `error` event, and by the first request", async () => {
    world = await startWorld({ store: redisStore({ client: createClient({ url: redis.url }) }) });
    const { errors } = world;
    await expect
      .poll(() => errors)
      .toContainEqual(
        expect.objectContaining({
          code: "STORE_FEED_BROKEN",
          message: expect.stringContaining("Write `await client.connect()` before liveSessions()"),
          cause: expect.objectContaining(notConnected),
        }),
      );
    const error = await new Promise((resolve) => world?.sessions.store().get("an id", resolve));
    expect(error).toMatchObject(notConnected);
  });

  test.each([
    [
      "connects when liveSessions() is called",
      (client: { connect(): unknown }) => client.connect(),
      () => {},
    ],
    ["is connected in the same turn", () => {}, (client: { connect(): unknown }) => client.connect()],
  ])("that %s works, without a warning", async (_when, before, after) => {
    const client = createClient({ url: redis.url });
    before(client);
    const starting = startWorld({ store: redisStore({ client, prefix: newPrefix() }) });
    after(client);
    world = await starting;
    const ada = await world.visitor();
    await ada.connect();
    await expect.poll(() => world?.sessions.stats().store.feed).toBe("whole");
    expect(world.errors).toEqual([]);
    await world.close();
    world = undefined;
    client.destroy();
  });

  test("that is lazy connects on its own, of ioredis", async () => {
    const client = new Redis(redis.url, { lazyConnect: true });
    const store = storeForTest({ client, prefix: newPrefix() });
    expect(await store.create(key, { cookie: {} }, later())).not.toBeNull();
    client.disconnect();
  });
});

cluster.describe("a client of a Cluster", () => {
  test("that was never connected, of redis", async () => {
    await expectRefused(createCluster({ rootNodes: cluster.url.split(",").map((url) => ({ url })) }));
  });

  test("that has been closed, of ioredis", async () => {
    const client = new Cluster(cluster.url.split(","));
    const ended = new Promise((resolve) => client.once("end", resolve));
    await new Promise((resolve) => client.once("ready", resolve));
    await client.quit();
    await ended;
    await expectRefused(client);
  });
});
