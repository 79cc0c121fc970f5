/** What the index of users holds of a session: entered in the step that writes it, or not at all. */
import type { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import { clusterArgs } from "../../../scripts/services/redis.mjs";
import type { SessionStore } from "../../../src/session-store.ts";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";
import { ownRedis } from "./server.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const server = withService("redis");
const key = keyOf("a session");
const hour = 3_600_000;
const later = (ms = hour) => Date.now() + ms;
const document = { cookie: {} };

server.describe.each(packages)("the index of the Redis store, %s", (from) => {
  let store: SessionStore;
  let raw: Redis;
  let prefix: string;
  let index: readonly [expires: string, since: string];

  beforeEach(async () => {
    prefix = newPrefix();
    store = storeForTest({ client: await clientForTest(from, server.url), prefix });
    raw = rawClient(server.url);
    index = new RedisNames(prefix).index("ada");
    onTestFinished(async () => {
      await raw.del(`${prefix}${key.sid}`, ...index);
    });
  });

  /** How long the entry will be there, and that its keys stay as long. */
  async function entryMs(): Promise<number> {
    const left = Number(await raw.zscore(index[0], key.sid)) - Date.now();
    for (const name of index) expect(Math.abs((await raw.pttl(name)) - left)).toBeLessThan(2000);
    return left;
  }

  it("gets no entry of what was not written", async () => {
    const revision = await store.create(key, document, later());
    expect(await store.create(key, document, later(), "ada")).toBeNull();
    expect(await store.replace(key, "another", document, later(), "ada")).toBeNull();
    expect(await store.replace(key, "another", document, "keep", "ada")).toBeNull();
    const gone = keyOf("gone");
    expect(await store.touch(gone, later(), {}, "ada")).toBe(false);
    expect(await store.replace(gone, revision ?? "", document, "keep", "ada")).toBeNull();
    expect(await raw.exists(...index)).toBe(0);
    expect(await store.touch(key, later(), {}, "ada"), "a refusal covers nothing").toBe(true);
    expect((await store.listByUser?.("ada"))?.map(({ sid }) => sid)).toEqual([key.sid]);
  });

  it("has the whole of an id that is no unicode, however long", async () => {
    const long = keyOf("\ud800".repeat(600));
    await store.create(long, document, later(), "ada");
    onTestFinished(async () => {
      await store.destroy(long, "destroyed");
    });
    expect((await store.listByUser?.("ada"))?.map(({ sid }) => sid)).toEqual([long.sid]);
    expect(await store.all?.()).toEqual({ [long.sid]: document });
  });

  it("outlasts what is stored, where the life time is kept", async () => {
    const revision = await store.create(key, document, later(50 * hour));
    await store.replace(key, revision ?? "", { ...document, n: 1 }, "keep", "ada");
    expect(Math.abs((await entryMs()) - 74 * hour)).toBeLessThan(2000);
    expect(Math.abs((await raw.pttl(`${prefix}${key.sid}`)) - 50 * hour)).toBeLessThan(2000);
  });

  it("outlasts what is stored, where a touch would have shortened it", async () => {
    await store.create(key, document, later(50 * hour));
    await store.touch(key, later(), {}, "ada");
    expect(Math.abs((await entryMs()) - 74 * hour)).toBeLessThan(2000);
  });

  it("outlasts a life time by another, a day at least", async () => {
    await store.create(key, document, later(50 * hour), "ada");
    expect(Math.abs((await entryMs()) - 100 * hour)).toBeLessThan(2000);
    await raw.del(`${prefix}${key.sid}`, ...index);
    expect(await store.touch(key, later(), {}, "ada")).toBe(false);
    await store.create(key, document, later(), "ada");
    expect(Math.abs((await entryMs()) - 25 * hour)).toBeLessThan(2000);
  });

  it.each(["touch", "replace"] as const)("has a session without an end for ever, by %s", async (by) => {
    await raw.set(`${prefix}${key.sid}`, JSON.stringify(document));
    const found = await store.read(key);
    if (by === "touch") await store.touch(key, later(), {}, "ada");
    else await store.replace(key, found?.revision ?? "", { ...document, n: 1 }, "keep", "ada");
    expect(await raw.zscore(index[0], key.sid)).toBe("8640000000000000");
    expect(await raw.pttl(`${prefix}${key.sid}`)).toBe(-1);
    expect(await store.listByUser?.("ada")).toHaveLength(1);
  });

  it("leaves a session unwritten that it can't enter", async () => {
    const revision = await store.create(key, document, later());
    await raw.set(index[0], "of another kind");
    const other = keyOf("other");
    await expect(store.create(other, document, later(), "ada")).rejects.toThrow(/WRONGTYPE/);
    expect(await store.read(other)).toBeNull();
    await expect(store.replace(key, revision ?? "", { ...document, n: 1 }, "keep", "ada")).rejects.toThrow();
    await expect(store.touch(key, later(2 * hour), {}, "ada")).rejects.toThrow();
    expect(await store.read(key)).toMatchObject({ document, revision });
    expect(await raw.pttl(`${prefix}${key.sid}`)).toBeLessThanOrEqual(hour);
  });
});

server.describe("a client that takes a Cluster of one server for a single server", () => {
  const own = ownRedis(async () => (await clusterArgs()).extraArgs);

  describe.each(packages)("%s", (from) => {
    it("has the entry written before the session", async () => {
      const raw = rawClient(own.url);
      if (!String(await raw.cluster("INFO")).includes("cluster_slots_assigned:16384"))
        await raw.cluster("ADDSLOTSRANGE", 0, 16_383);
      await expect.poll(() => raw.cluster("INFO"), { timeout: 10_000 }).toContain("cluster_state:ok");
      const store = storeForTest({ client: await clientForTest(from, own.url), prefix: newPrefix() });
      const created = await store.create(key, document, later(), "ada");
      expect(created).not.toBeNull();
      expect(await store.replace(key, created ?? "", { ...document, n: 1 }, "keep", "eve")).not.toBeNull();
      expect(await store.touch(key, later(2 * hour), {}, "ada")).toBe(true);
      for (const user of ["ada", "eve"]) expect(await store.listByUser?.(user)).toHaveLength(1);
    });
  });
});
