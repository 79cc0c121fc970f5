import { afterAll, beforeAll, beforeEach, expect, it, vi } from "vitest";
import { startRedisCluster } from "../../../scripts/services/redis.mjs";
import type { SessionStore } from "../../../src/session-store.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { countingProxy } from "../counting-proxy.ts";
import { everythingTold, type Heard, listen, openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";
import { ownRedis } from "./server.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;
const patient = { timeout: 15_000, interval: 10 };

withService("redis").describe.each(packages)("redisStore over a connection that breaks, %s", (from) => {
  const server = ownRedis();
  let store: SessionStore;
  let heard: Heard;

  beforeEach(async () => {
    store = storeForTest({ client: await clientForTest(from, server.url), prefix: newPrefix() });
    ({ heard } = await listen(store));
  });

  it("says that the feed broke, comes back by itself, and says that something was missed", async () => {
    await store.create(key, { cookie: {} }, later());
    await rawClient(server.url).call("CLIENT", "KILL", "TYPE", "pubsub");
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), patient);
    await store.destroy(key, "revoked"); // the feed may be back, or not
    await vi.waitFor(() => expect(heard.missedCount).toBe(1), patient);
    heard.changes.splice(0);
    await everythingTold(store, heard);
    expect(heard.errors).toHaveLength(1);
    expect(heard.changes).toEqual([]);
  });

  it("finds a server that stands still, and one that was restarted", async () => {
    server.freeze();
    await vi.waitFor(() => expect(heard.errors).toHaveLength(1), patient);
    expect(heard.errors[0]).toMatchObject({ code: "STORE_TIMEOUT" });
    server.thaw();
    await vi.waitFor(() => expect(heard.missedCount).toBe(1), patient);
    await server.restart();
    await vi.waitFor(() => expect(heard.missedCount).toBe(2), patient);
    await vi.waitFor(() => everythingTold(store, heard), patient);
  });

  it("gives its scripts to a server that has lost them", async () => {
    const revision = await store.create(key, { cookie: {} }, later(), "ada");
    await rawClient(server.url).script("FLUSH");
    expect(await store.read(key)).toMatchObject({ revision });
    await rawClient(server.url).script("FLUSH");
    const replaced = await store.replace(key, revision ?? "", { cookie: {}, n: 1 }, later());
    expect(replaced).not.toBeNull();
    await rawClient(server.url).script("FLUSH");
    expect(await store.touch(key, later() + 1000, {})).toBe(true);
    expect(await store.listByUser?.("ada")).toMatchObject([{ sid: key.sid }]);
    await rawClient(server.url).script("FLUSH");
    expect(await store.destroy(key, "destroyed")).toBe(true);
  });

  it("does not take its own write for another's when the answer was lost", async () => {
    const proxy = await countingProxy(server.url);
    const own = storeForTest({ client: await clientForTest(from, proxy.url), prefix: newPrefix() });
    const first = await own.create(key, { cookie: {}, n: 0 }, later());
    const second = await own.replace(key, first ?? "", { cookie: {}, n: 1 }, later());
    proxy.loseNextAnswer();
    await expect(own.replace(key, second ?? "", { cookie: {}, n: 2 }, later())).rejects.toThrow();
    expect((await own.read(key))?.document.n).toBe(2);
    proxy.loseNextAnswer();
    await expect(own.create(keyOf("another"), { cookie: {} }, later())).rejects.toThrow();
    const stale = await own.replace(key, second ?? "", { cookie: {}, n: 3 }, later());
    expect(stale, "and does, where it was another's").toBeNull();
  });

  it("ends its connection with the last listener, and leaves the client alone", async () => {
    const raw = rawClient(server.url);
    const subscribers = async () => Number((await raw.pubsub("NUMSUB", "socket-session:mine"))[1]);
    const client = await clientForTest(from, server.url);
    const listenersOf = () =>
      ["error", "end", "close", "ready", "message"].map((event) =>
        Number(Reflect.apply(Reflect.get(client, "listenerCount"), client, [event])),
      );
    const before = listenersOf();
    const own = storeForTest({ client, prefix: "mine" });
    const one = await listen(own);
    const two = await listen(own);
    expect(await subscribers()).toBe(1);
    await one.stop();
    expect(await subscribers()).toBe(1);
    await two.stop();
    await vi.waitFor(async () => expect(await subscribers()).toBe(0), patient);
    await listen(own);
    await own.close();
    await vi.waitFor(async () => expect(await subscribers()).toBe(0), patient);
    expect(listenersOf()).toEqual(before);
    expect(await storeForTest({ client, prefix: "mine" }).read(key)).toBeNull(); // the client is open
  });

  it("says that there is no server to listen to, and waits for none at close", async () => {
    const other = storeForTest({ client: await clientForTest(from, server.url), prefix: newPrefix() });
    await server.stop();
    try {
      await expect(openFeed(other)).rejects.toThrow();
      await other.close();
    } finally {
      await server.start();
    }
  });
});

withService("redis").describe("redisStore in a Cluster whose servers do not hear each other", () => {
  let cluster: Awaited<ReturnType<typeof startRedisCluster>>;
  beforeAll(async () => {
    cluster = await startRedisCluster();
  }, 60_000);
  afterAll(() => cluster?.close());

  it.each(packages)("counts the feed as broken, %s", { timeout: 60_000 }, async (from) => {
    const client = await clientForTest(from, cluster.urls.join(","));
    const store = storeForTest({ client, prefix: newPrefix() });
    const { heard } = await listen(store);
    const [one] = cluster.nodes;
    one?.freeze(); // whichever server it listens at, one beat does not come back
    try {
      await vi.waitFor(() => expect(heard.errors).toHaveLength(1), patient);
    } finally {
      one?.thaw();
    }
    await vi.waitFor(() => expect(heard.missedCount).toBeGreaterThan(0), { ...patient, timeout: 30_000 });
    await store.close();
  });
});
