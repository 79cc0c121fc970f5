import type { Redis } from "ioredis";
import { beforeEach, expect, it } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { type CountingProxy, countingProxy } from "../counting-proxy.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";

const server = withService("redis");
const cluster = withService("redis-cluster");
const packages: ClientPackage[] = ["redis", "ioredis"];
const key = keyOf("a session");
const hour = 3_600_000;

server.describe.each(packages)("the costs of the Redis store, %s", (from) => {
  let proxy: CountingProxy;
  let store: SessionStore;
  let raw: Redis;
  let prefix: string;
  const clock = new SetClock();
  const later = (ms = hour) => clock.now() + ms;
  const count = (run: () => Promise<unknown>) => proxy.count(run);

  beforeEach(async () => {
    proxy = await countingProxy(server.url);
    const client = await clientForTest(from, proxy.url);
    prefix = newPrefix();
    raw = rawClient(server.url);
    store = storeForTest({ client, prefix, clock });
    // The server has the scripts from now on, and the client has said who it is.
    const warm = keyOf("warm");
    const revision = await store.create(warm, { cookie: {} }, later(), "ada");
    await store.read(warm);
    await store.touch(warm, later(hour + 1), {});
    await store.replace(warm, revision ?? "", { cookie: {} }, later());
    await store.destroy(warm, "destroyed");
    await store.putTicket?.("warm", "{}", later());
    await store.takeTicket?.("warm");
  });

  it("is one round trip for each operation", async () => {
    let revision: unknown;
    const create = async () => {
      revision = await store.create(key, { cookie: {} }, later());
    };
    expect(await count(create)).toBe(1);
    expect(await count(() => store.read(key))).toBe(1);
    const replace = async (n: number) => {
      revision = await store.replace(key, String(revision), { cookie: {}, n }, later());
      expect(revision).not.toBeNull();
    };
    expect(await count(() => replace(1))).toBe(1);
    expect(await count(() => store.replace(key, String(revision), { cookie: {} }, "keep"))).toBe(1);
    expect(await count(() => store.touch(key, later(hour + 1), {}))).toBe(1);
    expect(await count(() => store.destroy(key, "destroyed"))).toBe(1);
    expect(await count(() => store.touch(key, later(), {}))).toBe(1);
    expect(await count(async () => store.putTicket?.("a ticket", "{}", later()))).toBe(1);
    expect(await count(async () => store.takeTicket?.("a ticket"))).toBe(1);
  });

  it("is one round trip for 100 reads", async () => {
    const keys = Array.from({ length: 100 }, (_, n) => keyOf(`session ${n}`));
    for (const [n, one] of keys.entries()) await store.create(one, { cookie: {}, n }, later());
    // No answer comes until all have been asked for.
    const found = await proxy.holdUntil(100, () => Promise.all(keys.map((one) => store.read(one))));
    expect(found?.map((stored) => stored?.document.n)).toEqual(keys.map((_, n) => n));
  });

  it("is one round trip with a user as well, which enters the session wherever it is not entered", async () => {
    let revision: unknown = null;
    const indexes = ["ada", "eve"].map((user) => new RedisNames(prefix).index(user));
    const cost = async (run: () => Promise<unknown>, user = "ada") => {
      await raw.del(...indexes.flat());
      expect(await count(run)).toBe(1);
      expect((await store.listByUser?.(user))?.map(({ sid }) => sid)).toEqual([key.sid]);
    };
    const create = async () => {
      revision = await store.create(key, { cookie: {} }, later(), "ada");
    };
    const replace = async (expiresAt: number | "keep") => {
      revision = await store.replace(key, String(revision), { cookie: {} }, expiresAt, "ada");
      expect(revision).not.toBeNull();
    };
    await cost(create);
    await cost(() => replace("keep"));
    await cost(() => replace(later()));
    await cost(() => store.touch(key, later(2 * hour), {}, "ada"));
    await cost(() => store.touch(key, later(2 * hour), {}, "eve"), "eve");
  });

  it("changes nothing in the index while the entry outlasts the session", async () => {
    const [expires] = new RedisNames(prefix).index("ada");
    await store.create(key, { cookie: {} }, later(), "ada");
    const entered = await raw.zscore(expires, key.sid);
    await store.touch(key, later(24 * hour), {}, "ada");
    expect(await raw.zscore(expires, key.sid)).toBe(entered);
    await store.touch(key, later(24 * hour + 1), {}, "ada");
    expect(Number(await raw.zscore(expires, key.sid))).toBe(later(48 * hour + 2));
  });
});

cluster.describe("a Cluster", () => {
  it.each(packages)("takes no step more for a save of an entered session, by %s", async (from) => {
    const clock = new SetClock();
    const later = (ms = hour) => clock.now() + ms;
    const client = await clientForTest(from, cluster.url);
    const store = storeForTest({ client, prefix: newPrefix(), clock });
    const stepsOf = countSteps(client);
    let revision: unknown = null;
    const create = async (sid: string) => {
      revision = await store.create(keyOf(sid), { cookie: {} }, later(), "ada");
    };
    const replace = async (expiresAt: number | "keep", user = "ada") => {
      revision = await store.replace(key, String(revision), { cookie: {} }, expiresAt, user);
      expect(revision).not.toBeNull();
    };
    const touch = () => store.touch(key, later(), {}, "ada");
    await create("warm");
    await create(key.sid);
    await replace("keep");
    await store.create(keyOf("another's"), { cookie: {} }, later(), "eve");
    await touch(); // all servers have the scripts from now on
    await store.destroy(key, "destroyed");
    expect(await stepsOf(() => create(key.sid)), "a new one").toBe(2);
    expect(await stepsOf(() => replace("keep"))).toBe(1);
    expect(await stepsOf(() => replace(later()))).toBe(1);
    expect(await stepsOf(() => replace(later(48 * hour))), "beyond the entry").toBe(2);
    expect(await stepsOf(() => replace("keep", "eve")), "another user").toBe(3);
    clock.advance(600_000);
    expect(await stepsOf(() => replace("keep", "eve")), "not trusted for ever").toBe(3);
    for (const name of ["a touch", "and the next"]) expect(await stepsOf(touch), name).toBe(3);
    for (const user of ["ada", "eve"])
      expect((await store.listByUser?.(user))?.map(({ sid }) => sid)).toContain(key.sid);
    await store.clear?.();
  });
});

/** How many commands the client is given. */
function countSteps(client: RedisStoreOptions["client"]) {
  const method = "call" in client ? "call" : "sendCommand";
  const send: (...args: unknown[]) => unknown = Reflect.get(client, method);
  let steps = 0;
  Reflect.set(client, method, (...args: unknown[]) => {
    steps += 1;
    return Reflect.apply(send, client, args);
  });
  return async (run: () => Promise<unknown>) => {
    steps = 0;
    await run();
    return steps;
  };
}
