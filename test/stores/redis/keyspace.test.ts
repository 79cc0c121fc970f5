import { Redis } from "ioredis";
import { beforeEach, describe, expect, it, onTestFinished, vi } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { RedisNames } from "../../../src/stores/redis/keys.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { describeStore } from "../conformance.ts";
import { everythingTold, type Heard, listen, openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, redisHarness, storeForTest } from "./clients.ts";
import { ownRedis } from "./server.ts";

const traits = {
  atomic: true,
  feed: true,
  uniqueRevisions: false,
  exactExpiry: false,
  timePasses: true,
  users: true,
  tickets: true,
  notes: true,
};
const packages: ClientPackage[] = ["redis", "ioredis"];
const key = keyOf("a session");
/** Of a case of the suite. */
const mostConnections = 4;
const later = () => Date.now() + 3_600_000;
const document = { cookie: {}, n: 1 };

withService("redis").describe("redisStore with keyspace events", () => {
  const server = ownRedis(() => ["--notify-keyspace-events", "Kg$x"]);

  // What is told exactly without them is told exactly with them: our own writes are no news.
  for (const from of packages) {
    describeStore(`like any store, ${from}`, traits, async () => {
      const harness = await redisHarness(from, server.url);
      const stores = Array.from({ length: mostConnections }, () => harness.open());
      // Only a store that listens knows that its own writes are to be marked.
      await Promise.all(stores.map(listen));
      let opened = 0;
      return {
        ...harness,
        open: () => stores[opened++] ?? harness.open(),
        async advance(ms) {
          await harness.advance(ms);
          await Promise.all(stores.map(nothingPending)); // Redis tells that sessions are over
        },
      };
    });
  }

  describe.each(packages)("%s", (from) => {
    let store: SessionStore;
    let heard: Heard;
    let raw: Redis;
    let prefix: string;

    beforeEach(async () => {
      prefix = `a[*]?\\${newPrefix()}`; // of a glob, too
      store = storeForTest({ client: await clientForTest(from, server.url), prefix });
      ({ heard } = await listen(store));
      raw = rawClient(server.url);
    });

    it("says so", () => {
      expect(store.feed).toEqual({ kind: "pub/sub and keyspace events", complete: true });
    });

    it("reports other programs' plain commands, and none of our own writes twice", async () => {
      const revision = await store.create(key, document, later());
      await store.touch(key, later() + 60_000, {});
      await everythingTold(store, heard);
      expect(heard.changes).toEqual([]);

      const news = { kind: "changed", sid: key.sid };
      await raw.set(`${prefix}${key.sid}`, JSON.stringify({ cookie: {}, n: 2 }), "EX", 1000);
      await store.replace(key, revision ?? "", { cookie: {}, n: 3 }, later());
      await everythingTold(store, heard);
      expect(heard.changes.splice(0)).toEqual([news, news]); // `set` and `expire`; ours was stale
      await raw.expire(`${prefix}${key.sid}`, 2000);
      await everythingTold(store, heard);
      expect(heard.changes.splice(0)).toEqual([news]);
      await raw.del(`${prefix}${key.sid}`);
      await everythingTold(store, heard);
      expect(heard.changes.splice(0)).toEqual([news]);
    });

    it("receives a foreign write that directly follows one of ours", async () => {
      const first = await store.create(key, document, later());
      const replaced = store.replace(key, first ?? "", { cookie: {}, n: 2 }, "keep");
      await Promise.all([replaced, raw.set(`${prefix}other`, JSON.stringify(document))]);
      expect(await replaced).not.toBeNull();
      await raw.del(`${prefix}${key.sid}`);
      await everythingTold(store, heard);
      const told = heard.changes.map(({ kind, sid }) => `${kind} ${sid ?? "by public ids"}`);
      expect(told.sort()).toEqual(["changed a session", "changed by public ids", "changed other"]);
    });

    it("lists a session that others have removed and brought back, once it is used", async () => {
      await store.create(key, document, later(), "ada");
      await raw.del(`${prefix}${key.sid}`, ...new RedisNames(prefix).index("ada"));
      await everythingTold(store, heard);
      await raw.set(`${prefix}${key.sid}`, JSON.stringify(document), "EX", 1000);
      await store.touch(key, later(), {}, "ada");
      expect(await store.listByUser?.("ada")).toMatchObject([{ sid: key.sid }]);
    });

    it("reports that a session is over", async () => {
      await store.create(key, document, Date.now() + 50);
      await vi.waitFor(() => expect(heard.changes).toContainEqual({ kind: "changed", sid: key.sid }));
      expect(await store.read(key)).toBeNull();
    });

    it("listens to the database of the client's options", async () => {
      const url = `${server.url}/3`;
      const elsewhere = storeForTest({ client: await clientForTest(from, url), prefix });
      const there = await listen(elsewhere);
      await rawClient(url).set(`${prefix}x`, JSON.stringify(document));
      await everythingTold(elsewhere, there.heard);
      expect(there.heard.changes).toEqual([{ kind: "changed", sid: "x" }]);
      await everythingTold(store, heard);
      expect(heard.changes.filter(({ sid }) => sid !== undefined)).toEqual([]);
    });

    it("listens to the database that was selected since", async () => {
      const client = new Redis(server.url);
      onTestFinished(() => client.disconnect());
      await client.select(5);
      const elsewhere = storeForTest({ client, prefix });
      const there = await listen(elsewhere);
      await rawClient(`${server.url}/5`).set(`${prefix}x`, JSON.stringify(document));
      await everythingTold(elsewhere, there.heard);
      expect(there.heard.changes).toEqual([{ kind: "changed", sid: "x" }]);
    });

    it("ignores them if configured so", async () => {
      const quiet = storeForTest({
        client: await clientForTest(from, server.url),
        prefix,
        keyspaceEvents: false,
      });
      const without = await listen(quiet);
      expect(quiet.feed?.kind).toBe("pub/sub");
      await raw.set(`${prefix}x`, JSON.stringify(document));
      await everythingTold(quiet, without.heard);
      expect(without.heard.changes).toEqual([]);
    });
  });
});

withService("redis").describe("redisStore without keyspace events", () => {
  const server = ownRedis(() => ["--notify-keyspace-events", "Kgx"]); // all but writes

  it.each(packages)("works without them, unless they are required, %s", async (from) => {
    const client = await clientForTest(from, server.url);
    const store = storeForTest({ client, prefix: newPrefix() });
    await listen(store);
    expect(store.feed?.kind).toBe("pub/sub");
    const insisting = storeForTest({ client, prefix: newPrefix(), keyspaceEvents: true });
    await expect(openFeed(insisting)).rejects.toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/notify-keyspace-events is "\w+".*Kg\$x/),
    });
  });
});

async function nothingPending(store: SessionStore): Promise<void> {
  const { heard, stop } = await listen(store);
  await everythingTold(store, heard);
  await stop();
}
