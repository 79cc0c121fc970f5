import type { Redis } from "ioredis";
import { beforeEach, expect, it } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import { withService } from "../../setup/services.ts";
import { type CountingProxy, countingProxy } from "../counting-proxy.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";
import type { ClientPackage } from "./open.ts";

const server = withService("redis");
const packages: ClientPackage[] = ["redis", "ioredis"];
const key = keyOf("a session");
const hour = 3_600_000;

server.describe.each(packages)("what the Redis store costs, %s", (from) => {
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
  });

  it("is one round trip for 100 reads", async () => {
    const keys = Array.from({ length: 100 }, (_, n) => keyOf(`session ${n}`));
    for (const [n, one] of keys.entries()) await store.create(one, { cookie: {}, n }, later());
    // No answer comes until all have been asked for.
    const found = await proxy.holdUntil(100, async () => store.readMany?.(keys));
    expect(found?.map((stored) => stored?.document.n)).toEqual(keys.map((_, n) => n));
  });

  it("is one round trip with a user as well, whether it enters the session or finds it covered", async () => {
    let revision: unknown = await store.create(key, { cookie: {} }, later());
    const replace = async (expiresAt: number | "keep") => {
      revision = await store.replace(key, String(revision), { cookie: {} }, expiresAt, "ada");
      expect(revision).not.toBeNull();
    };
    const touch = (expiresAt: number, user: string) => store.touch(key, expiresAt, {}, user);
    expect(await cost(() => replace("keep"))).toEqual(entering);
    expect(await cost(() => replace("keep"))).toEqual(leaving);
    expect(await cost(() => replace(later()))).toEqual(leaving);
    expect(await cost(() => replace(later(24 * hour)))).toEqual(entering);
    expect(await cost(() => replace(later(2 * hour)))).toEqual(leaving);
    expect(await cost(() => replace("keep"))).toEqual(leaving);
    expect(await cost(() => touch(later(3 * hour), "ada"))).toEqual(leaving);
    expect(await cost(() => touch(later(48 * hour), "ada")), "beyond the entry").toEqual(entering);
    expect(await cost(() => touch(later(49 * hour), "ada"))).toEqual(leaving);
    expect(await cost(() => touch(later(49 * hour), "eve")), "another user").toEqual(entering);
    clock.advance(600_000);
    expect(await cost(() => touch(later(49 * hour), "eve")), "not trusted for ever").toEqual(entering);
    await store.destroy(key, "destroyed");
    const create = () => store.create(key, { cookie: {} }, later(), "eve");
    expect(await cost(create), "one of the same id").toEqual(entering);
    expect((await store.listByUser?.("eve"))?.map(({ sid }) => sid)).toEqual([key.sid]);
  });

  const entering = { commands: 1, enters: true };
  const leaving = { commands: 1, enters: false };

  async function cost(run: () => Promise<unknown>) {
    const indexes = ["ada", "eve"].flatMap((user) => new RedisNames(prefix).index(user));
    await raw.del(...indexes);
    const commands = await proxy.count(run);
    return { commands, enters: (await raw.exists(...indexes)) > 0 };
  }
});
