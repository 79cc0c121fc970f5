import { Cluster, Redis } from "ioredis";
import { createClient, createClientPool, createCluster, createSentinel } from "redis";
import { afterAll, describe, expect, it } from "vitest";
import { type RedisStoreOptions, redisStore } from "../../src/stores/redis.ts";
import { resolveOptions } from "../../src/stores/redis-options.ts";

const lazy = { lazyConnect: true } as const;
const ioredis = new Redis(lazy);
const url = "redis://127.0.0.1:1";

afterAll(() => ioredis.disconnect());

/** As JavaScript may call it. */
const open = (options: object) => redisStore({ client: ioredis, ...options } as RedisStoreOptions);

describe("redisStore", () => {
  it("takes the clients of both packages, of one server and of a Cluster", async () => {
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

  it("takes ttl in seconds, as connect-redis does", () => {
    expect(open({ ttl: 60, prefix: "", scanCount: 1000, disableTTL: false }).ttlMs).toBe(60_000);
  });

  it("takes for its defaults what connect-redis does, and leaves out what is undefined", () => {
    const given = {
      prefix: null,
      scanCount: 0,
      serializer: null,
      disableTTL: undefined,
      logErrors: undefined,
    };
    const options = { client: ioredis, ...given } as unknown as RedisStoreOptions;
    const defaults = { prefix: "sess:", scanCount: 100, serializer: JSON };
    expect(resolveOptions(options)).toMatchObject(defaults);
  });

  it.each([undefined, null, "redis://127.0.0.1"])("refuses %s as options", (options) => {
    const start = () => Reflect.apply(redisStore, undefined, [options]);
    expect(start).toThrow(/redisStore's options to be an object, but they are/);
    expect(start).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  it.each([
    ["a client of node-redis 4", { sendCommand() {}, pSubscribe() {}, duplicate() {} }, /Update redis to 5/],
    ["a pool", createClientPool({ url }), /a pool/],
    ["a Sentinel of node-redis", createSentinel({ name: "m", sentinelRootNodes: [] }), /use ioredis/],
    ["something else", { get() {} }, /is an object of Object/],
    ["nothing", undefined, /createClient.*is undefined/],
  ])("refuses %s as client", (_what, client, message) => {
    expect(() => open({ client })).toThrow(message);
    expect(() => open({ client })).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });

  it.each([
    [{ disableTTL: true }, /disableTTL to be left out.*cookie\.maxAge/],
    [{ disableTouch: true }, /disableTouch to be left out.*touchIntervalMs/],
    [
      { ttl: () => 60 },
      /ttl to be a number of seconds, 100000000000 at most, but it is a function.*cookie\.maxAge/,
    ],
    [{ ttl: 0 }, /ttl to be a number of seconds, 100000000000 at most, but it is 0/],
    [{ prefix: 1 }, /prefix to be a string/],
    [{ scanCount: -1 }, /scanCount/],
    [{ toString: 1 }, /no option `toString`, but it is given\. The options are client, prefix/],
    [{ serializer: {} }, /serializer to be an object like JSON/],
    [{ keyspaceEvents: "yes" }, /keyspaceEvents to be "auto", true or false, but it is "yes"/],
    [{ otherWriters: "yes" }, /otherWriters to be true or false/],
    [{ logErrors: true }, /no option `logErrors`.*The options are client, prefix/],
    [
      { client: new Redis({ ...lazy, keyPrefix: "app:" }) },
      /keyPrefix, but it has a string of 4 characters.*prefix/,
    ],
    [
      { client: new Cluster([url], { ...lazy, keyPrefix: "app:" }) },
      /keyPrefix, but it has a string of 4 characters/,
    ],
    [{ client: createClient({ url, keyPrefix: "app:" }) }, /keyPrefix, but it has a string of 4 characters/],
    [{ client: createCluster({ rootNodes: [{ url }], keyPrefix: "app:" }) }, /keyPrefix, but it has/],
    [{ client: createCluster({ rootNodes: [{ url }] }), keyspaceEvents: true }, /in a Cluster/],
  ])("refuses %o", (options, message) => {
    expect(() => open(options)).toThrow(message);
    expect(() => open(options)).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
  });
});
