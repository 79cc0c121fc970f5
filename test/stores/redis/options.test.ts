import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { afterAll, describe, expect, it } from "vitest";
import { resolveRedisOptions } from "../../../src/stores/redis/options.ts";
import { type RedisStoreOptions, redisStore } from "../../../src/stores/redis/store.ts";

const lazy = { lazyConnect: true } as const;
const ioredis = new Redis(lazy);
const url = "redis://127.0.0.1:1";

afterAll(() => ioredis.disconnect());

/** As JavaScript may call it. */
const open = (options: object) => redisStore({ client: ioredis, ...options } as RedisStoreOptions);

describe("redisStore", () => {
  it("accepts the clients of both packages, of one server and of a Cluster", async () => {
    const clients: RedisStoreOptions["client"][] = [
      createClient({ url }),
      createCluster({ rootNodes: [{ url }] }),
      ioredis,
      new Cluster([url], lazy),
    ];
    for (const client of clients) {
      const store = redisStore({ client });
      expect(store).toMatchObject({ name: "redis", atomic: true, ttlMs: 86_400_000 });
      expect(store.feed).toEqual({ kind: "pub/sub", complete: true });
      await store.close();
    }
  });

  it("accepts ttl in seconds, as connect-redis does", () => {
    expect(open({ ttl: 60, prefix: "", scanCount: 1000, disableTTL: false }).ttlMs).toBe(60_000);
  });

  it("has the defaults of connect-redis, and ignores undefined", () => {
    const given = {
      prefix: null,
      scanCount: 0,
      serializer: null,
      disableTTL: undefined,
      logErrors: undefined,
    };
    const options = { client: ioredis, ...given } as unknown as RedisStoreOptions;
    const defaults = { prefix: "sess:", scanCount: 100, serializer: JSON };
    expect(resolveRedisOptions(options)).toMatchObject(defaults);
  });

  it.each([undefined, null, "redis://127.0.0.1"])("refuses %s as options", (options) => {
    const start = () => Reflect.apply(redisStore, undefined, [options]);
    expect(start).toThrow(
      /^redisStore\(\) expects an object of options; it was .*\. Write redisStore\(\{ client \}\)/,
    );
    expect(start).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  it.each([
    [
      "a client of node-redis 4",
      { sendCommand() {}, pSubscribe() {}, duplicate() {} },
      /one of redis 4, .*Update `redis` to 5 or later/,
    ],
    ["a pool", createClientPool({ url }), /a pool/],
    ["a Sentinel of node-redis", createSentinel({ name: "m", sentinelRootNodes: [] }), /use `ioredis`/],
    ["something else", { get() {} }, /it was an object of Object/],
    ["nothing", undefined, /createClient.*it was undefined/],
  ])("refuses %s as client", (_what, client, message) => {
    expect(() => open({ client })).toThrow(message);
    expect(() => open({ client })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  it.each([
    [{ disableTTL: true }, /redisStore\(\) has no option `disableTTL`.*cookie\.maxAge/],
    [{ disableTouch: true }, /redisStore\(\) has no option `disableTouch`.*touchIntervalMs/],
    [
      { ttl: () => 60 },
      /`ttl` of redisStore\(\) expects a number of seconds greater than 0, 100000000000 at most; it was a function.*cookie\.maxAge/,
    ],
    [{ ttl: 0 }, /a number of seconds greater than 0, 100000000000 at most; it was 0\. Leave it out/],
    [{ prefix: 1 }, /`prefix` of redisStore\(\) expects a string; it was a number/],
    [{ scanCount: -1 }, /`scanCount` of redisStore\(\) expects a number of keys greater than 0; it was -1/],
    [{ toString: 1 }, /redisStore\(\) has no option `toString`\. The options are `client`, `prefix`/],
    [{ serializer: {} }, /`serializer` of redisStore\(\) expects an object with stringify and parse/],
    [{ keyspaceEvents: "yes" }, /expects one of "auto", true, false; it was "yes"/],
    [{ otherWriters: "yes" }, /`otherWriters` of redisStore\(\) expects true or false/],
    [{ logErrors: true }, /no option `logErrors`\. The options are/],
    [
      { client: new Redis({ ...lazy, keyPrefix: "app:" }) },
      /expects a client without a keyPrefix; it was one with a keyPrefix, a string of 4 characters.*`prefix`/,
    ],
    [
      { client: new Cluster([url], { ...lazy, keyPrefix: "app:" }) },
      /one with a keyPrefix, a string of 4 characters/,
    ],
    [{ client: createClient({ url, keyPrefix: "app:" }) }, /one with a keyPrefix, a string of 4 characters/],
    [{ client: createCluster({ rootNodes: [{ url }], keyPrefix: "app:" }) }, /one with a keyPrefix/],
    [{ client: createCluster({ rootNodes: [{ url }] }), keyspaceEvents: true }, /in a Cluster/],
  ])("refuses %o", (options, message) => {
    expect(() => open(options)).toThrow(message);
    expect(() => open(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});
