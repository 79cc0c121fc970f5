import { readFileSync } from "node:fs";
import { Redis } from "ioredis";
import { expect, it } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { redisStore } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { type ClientPackage, type OpenedClient, openClient } from "../../support/redis-clients.ts";
import { everythingTold, listen } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock } from "../set-clock.ts";
import { rawClient } from "./clients.ts";
import { ownRedis } from "./server.ts";

const packages: ClientPackage[] = ["redis", "ioredis"];
/** The rule of the store's page. */
const page = readFileSync(new URL("../../../docs/stores/redis.md", import.meta.url), "utf8");
const rule = /^ACL SETUSER app on >password ([^`]*)```/m.exec(page)?.[1]?.trim().split(/\s+/) ?? [];
const commands = rule.filter((part) => part.startsWith("+")).map((part) => part.slice(1));
const where = rule.filter((part) => !part.startsWith("+"));

withService("redis").describe.each(packages)("a restricted user of Redis, %s", (from) => {
  const server = ownRedis(() => ["--notify-keyspace-events", "Kg$x"]);

  async function withUser(rules: readonly string[], run: (store: SessionStore) => Promise<void>) {
    const raw = rawClient(server.url);
    await raw.flushall();
    await raw.script("FLUSH");
    await raw.acl("SETUSER", "app", "reset", "on", ">secret", ...where, ...rules);
    const { client, close } = await restrictedClient(from, server.url.replace("//", "//app:secret@"));
    const clock = new SetClock();
    const store = redisStore({ client, clock });
    try {
      await run(store);
      clock.advance(3 * 86_400_000);
      await useAll(store, () => clock.now() + 3_600_000); // and now there are entries of the index that are over
    } finally {
      await store.close();
      close();
    }
  }

  const rules = (names: readonly string[]) => names.map((name) => `+${name}`);
  const use = (store: SessionStore) => useAll(store, () => new SetClock().now() + 3_600_000);

  it("needs no more than the page says", async () => {
    expect(where).toEqual(["~sess:*", "~socket-session:*", "&socket-session:*"]);
    expect(commands).toContain("evalsha");
    await withUser(rules(commands), async (store) => {
      await use(store);
      expect(store.feed?.kind).toBe("pub/sub");
    });
  });

  it("receives keyspace events if it may read their setting, and listen", async () => {
    const asking = rules([...commands, "config|get", "client|info", "psubscribe"]);
    await withUser([...asking, "&__keyspace@0__:sess:*"], async (store) => {
      await use(store);
      expect(store.feed?.kind).toBe("pub/sub and keyspace events");
    });
    await withUser(asking, async (store) => {
      await use(store);
      expect(store.feed?.kind, "without the channel").toBe("pub/sub");
    });
  });

  it.each(commands)("needs %s", async (command) => {
    const without = rules(commands.filter((other) => other !== command));
    await expect(withUser(without, use)).rejects.toThrow(/NOPERM|can't run this command/);
  });
});

/** The ready check of ioredis wants INFO, and goes without it, with a warning. */
async function restrictedClient(from: ClientPackage, url: string): Promise<OpenedClient> {
  if (from === "redis") return openClient(from, url);
  const client = new Redis(url, { enableReadyCheck: false });
  return { client, close: () => client.disconnect() };
}

async function useAll(store: SessionStore, later: () => number): Promise<void> {
  const key = keyOf("a session");
  await store.clear?.();
  const { heard, stop } = await listen(store);
  for (const error of heard.errors) throw error;
  const revision = await store.create(key, { cookie: {} }, later(), "ada");
  await store.replace(key, revision ?? "", { cookie: {}, n: 1 }, "keep", "eve");
  await store.touch(key, later() + 1000, {}, "eve");
  expect(await store.read(key)).toMatchObject({ document: { n: 1 } });
  expect(await store.listByUser?.("eve")).toHaveLength(1);
  expect(await store.all?.()).toHaveProperty([key.sid]);
  expect(await store.count?.()).toBe(1);
  await store.putTicket?.("a ticket", "{}", later());
  expect(await store.takeTicket?.("a ticket")).toBe("{}");
  await everythingTold(store, heard);
  await stop();
  await store.destroy(key, "destroyed");
}
