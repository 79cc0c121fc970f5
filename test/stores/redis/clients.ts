/** Clients and stores for the tests of the Redis store, and what Redis holds behind the store's back. */
import { randomUUID } from "node:crypto";
import { type Cluster, Redis } from "ioredis";
import { expect, onTestFinished, vi } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { type RedisStoreOptions, redisStore } from "../../../src/stores/redis/store.ts";
import { type ClientPackage, keysUnder, openClient, openIoRedis } from "../../support/redis-clients.ts";
import type { StoreHarness } from "../conformance.ts";
import { SetClock } from "../set-clock.ts";
import { openStalledLink } from "../stalled-link.ts";

/** Closed after the test. */
export async function clientForTest(from: ClientPackage, url: string): Promise<RedisStoreOptions["client"]> {
  const { client, close } = await openClient(from, url);
  onTestFinished(close);
  return client;
}

/** A plain client to one server, closed after the test. */
export function rawClient(url: string): Redis {
  const client = new Redis(url);
  client.on("error", () => {});
  onTestFinished(() => client.disconnect());
  return client;
}

/** A store with keys of its own, closed after the test. */
export function storeForTest(options: RedisStoreOptions): SessionStore {
  const store = redisStore(options);
  onTestFinished(() => store.close());
  return store;
}

export function newPrefix(): string {
  return `test:${randomUUID()}:`;
}

/** Two clients of one package; a time that is moved in the adapter and in the database alike. */
export async function redisHarness(
  from: ClientPackage,
  url: string,
  options: Partial<RedisStoreOptions> = {},
): Promise<StoreHarness> {
  const prefix = newPrefix();
  const clock = new SetClock();
  // A Cluster's servers name themselves, and would be reached past a proxy.
  const link = url.includes(",") ? undefined : await openStalledLink(url);
  const opened = await Promise.all([1, 2].map(() => openClient(from, link?.url ?? url)));
  const admin = openIoRedis(url);
  const stores: SessionStore[] = [];
  return {
    open() {
      const next = opened[stores.length % opened.length];
      if (!next) throw new Error("Expected a client.");
      const store = redisStore({ client: next.client, prefix, clock, ...options });
      stores.push(store);
      return store;
    },
    now: () => clock.now(),
    async advance(ms) {
      clock.advance(ms);
      await advanceKeys(admin, prefix, ms);
    },
    async damage(sid, text) {
      await admin.set(`${prefix}${sid}`, text, "KEEPTTL");
    },
    async end() {
      await Promise.all(stores.map((store) => store.close()));
      await Promise.all((await keysUnder(admin, prefix)).map((key) => admin.del(key)));
      admin.disconnect();
      for (const { close } of opened) close();
      link?.close();
    },
    ...(link && { stall: link.stall }),
  };
}

/** Takes `ms` from the life of every key, and waits until those are gone whose time is over. */
async function advanceKeys(client: Redis | Cluster, prefix: string, ms: number): Promise<void> {
  const over: string[] = [];
  for (const key of await keysUnder(client, prefix)) {
    const left = await client.pttl(key);
    if (left < 0) continue;
    if (left <= ms) over.push(key);
    await client.pexpire(key, Math.max(left - ms, 1));
  }
  await vi.waitFor(
    async () => {
      const existing = await Promise.all(over.map((key) => client.exists(key)));
      expect(existing.filter((exists) => exists === 1)).toEqual([]);
    },
    { timeout: 5000, interval: 2 },
  );
}
