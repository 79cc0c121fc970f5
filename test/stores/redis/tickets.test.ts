/** Where tickets are in Redis: with any prefix, connect-redis takes none for a session. */
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import type { Store } from "express-session";
import { describe, expect, it, onTestFinished } from "vitest";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import { withService } from "../../setup/services.ts";
import { redisClient } from "../../support/redis-clients.ts";
import { settle } from "../promised-peer.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import { newPrefix, rawClient, storeForTest } from "./clients.ts";
import { ownRedis } from "./server.ts";

const id = "a".repeat(43);
const key = keyOf("a session");
const session = JSON.stringify({ cookie: { originalMaxAge: null } });
const later = () => Date.now() + 3_600_000;

withService("redis").describe("tickets in Redis", () => {
  const server = ownRedis();

  describe.each([RedisStore9, RedisStore10])("beside connect-redis, %#", (RedisStore) => {
    it.each(["sess:", "", "s", "socket-session:", "socket-session:ticket:"])(
      "are no sessions of the prefix %j",
      async (prefix) => {
        const client = await redisClient(server.url);
        onTestFinished(() => client.destroy());
        await client.flushAll();
        const store = storeForTest({ client, prefix });
        const peer: Store = new RedisStore({ client, prefix });
        await store.putTicket?.(id, session, later());
        await store.create(key, { cookie: {}, n: 1 }, later());
        expect(await settle((done) => peer.all?.(done))).toMatchObject([{ id: key.sid, n: 1 }]);
        expect(await store.all?.()).toEqual({ [key.sid]: { cookie: {}, n: 1 } });
        expect(await store.count?.()).toBe(1);
        await store.clear?.();
        expect(await store.takeTicket?.(id)).toBe(session);
        expect(await client.keys("*")).toEqual([]);
      },
    );
  });

  it("are removed by Redis when their time is over", async () => {
    const client = await redisClient(server.url);
    onTestFinished(() => client.destroy());
    const clock = new SetClock();
    const prefix = newPrefix();
    const store = storeForTest({ client, prefix, clock });
    const raw = rawClient(server.url);
    const ticket = new RedisNames(prefix).ticket(id);
    await store.putTicket?.(id, session, clock.now() + 30_000);
    const leftMs = await raw.pttl(ticket);
    expect(leftMs).toBeGreaterThan(0);
    expect(leftMs).toBeLessThanOrEqual(30_000);
    await store.putTicket?.("b".repeat(43), session, clock.now());
    expect(await raw.keys(`*${prefix}*`), "one that is over at once is not stored").toEqual([ticket]);
  });

  it("are not all in one slot of a Cluster, whatever the prefix", () => {
    expect(new RedisNames("{app}:").ticket(id)).toBe(`socket-session:%7Bapp%7D:ticket:${id}`);
  });
});
