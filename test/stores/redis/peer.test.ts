/** Next to connect-redis, with keyspace events and without. */
import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import { describe, expect, it, onTestFinished } from "vitest";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { disconnected } from "../../support/browser.ts";
import { type ClientPackage, redisClient } from "../../support/redis-clients.ts";
import { type Beside, dataOf, describeBeside, startNeighbours } from "../describe-beside.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";
import { ownRedis } from "./server.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
const peers = [
  { version: 9, RedisStore: RedisStore9 },
  { version: 10, RedisStore: RedisStore10 },
];
const revalidateIntervalMs = 600;

async function besideConnectRedis(
  url: string,
  from: ClientPackage,
  RedisStore: typeof RedisStore9 | typeof RedisStore10 = RedisStore10,
  options: Partial<RedisStoreOptions> = {},
): Promise<Beside & { prefix: string }> {
  const prefix = newPrefix();
  const client = await redisClient(url);
  onTestFinished(() => client.destroy());
  const ours = storeForTest({ client: await clientForTest(from, url), prefix, ...options });
  return { ours, peer: new RedisStore({ client, prefix }), prefix };
}

withService("redis").describe.each([
  { events: "with keyspace events", flags: "Kg$x", notices: true },
  { events: "without keyspace events", flags: "", notices: false },
])("redisStore, $events", ({ flags, notices }) => {
  const server = ownRedis(() => ["--notify-keyspace-events", flags]);

  describe.each(packages)("by %s", (from) => {
    for (const { version, RedisStore } of peers)
      describeBeside(`beside connect-redis ${version}`, { notices }, () =>
        besideConnectRedis(server.url, from, RedisStore),
      );

    it("ends when the other's session is over", async () => {
      const beside = await besideConnectRedis(server.url, from);
      const { ada, socket } = await startNeighbours(beside);
      const gone = disconnected(socket);
      const raw = rawClient(server.url);
      const [key = ""] = await raw.keys(`${beside.prefix}*`);
      await raw.pexpire(key, 20);
      await expect.poll(() => raw.exists(key)).toBe(0);
      if (!notices) expect(await dataOf(ada)).toEqual({});
      expect(await gone).toBe("io server disconnect");
    });

    if (!notices)
      describeBeside("told of connect-redis", { notices: true, revalidateIntervalMs }, async () => {
        const beside = await besideConnectRedis(server.url, from, RedisStore10, { otherWriters: true });
        expect(beside.ours.feed).toEqual({ kind: "pub/sub", complete: false });
        return beside;
      });
  });
});
