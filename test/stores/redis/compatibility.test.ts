import { RedisStore as RedisStore10 } from "connect-redis";
import { RedisStore as RedisStore9 } from "connect-redis9";
import { Cookie, type SessionData } from "express-session";
import type { Redis } from "ioredis";
import { beforeEach, describe, expect, it } from "vitest";
import type { SessionDocument, SessionStore } from "../../../src/session-store.ts";
import { withService } from "../../setup/services.ts";
import type { ClientPackage } from "../../support/redis-clients.ts";
import { keyOf } from "../session-keys.ts";
import { clientForTest, newPrefix, rawClient, storeForTest } from "./clients.ts";

const server = withService("redis");
const packages: ClientPackage[] = ["redis", "ioredis"];
const peers = [
  { version: 9, RedisStore: RedisStore9 },
  { version: 10, RedisStore: RedisStore10 },
];
const hour = 3_600_000;
const key = keyOf("a session");

server.describe.each(peers)("the same sessions as connect-redis $version", ({ RedisStore }) => {
  describe.each(packages)("by %s", (from) => {
    let prefix: string;
    let store: SessionStore;
    let peer: RedisStore9 | RedisStore10;
    let raw: Redis;

    beforeEach(async () => {
      prefix = newPrefix();
      store = storeForTest({ client: await clientForTest(from, server.url), prefix });
      peer = new RedisStore({ client: await clientForTest("redis", server.url), prefix });
      raw = rawClient(server.url);
    });

    it("reads, updates, touches and destroys sessions of connect-redis", async () => {
      await peer.set(key.sid, sessionData({ n: 1 }, hour));
      const text = (await raw.get(`${prefix}${key.sid}`)) ?? "";
      const found = await store.read(key);
      expect(found?.document).toEqual(JSON.parse(text));
      expect(Math.abs((found?.expiresAt ?? 0) - Date.now() - hour)).toBeLessThan(2000);

      const document = { ...JSON.parse(text), n: 2 };
      expect(await store.replace(key, found?.revision ?? "", document, "keep")).not.toBeNull();
      expect(await raw.get(`${prefix}${key.sid}`)).toBe(JSON.stringify(document));
      expect(await peer.get(key.sid)).toEqual(document);
      expect(Math.abs((await raw.pttl(`${prefix}${key.sid}`)) - hour)).toBeLessThan(2000);
      expect(await store.touch(key, Date.now() + 2 * hour, document.cookie)).toBe(true);
      expect(Math.abs((await raw.pttl(`${prefix}${key.sid}`)) - 2 * hour)).toBeLessThan(2000);
      expect(await store.destroy(key, "destroyed")).toBe(true);
      expect(await peer.get(key.sid)).toBeNull();
    });

    it("lets connect-redis read, update, touch and destroy its own", async () => {
      const document = stored({ n: 1, text: "é\0😀" }, hour);
      const revision = await store.create(key, document, Date.now() + hour, "ada");
      expect(await raw.get(`${prefix}${key.sid}`)).toBe(JSON.stringify(document));
      expect(await peer.get(key.sid)).toEqual(document);

      await peer.touch(key.sid, sessionData({ n: 1 }, 2 * hour));
      const touched = await store.read(key);
      expect(touched).toMatchObject({ document, revision });
      expect(Math.abs((touched?.expiresAt ?? 0) - Date.now() - 2 * hour)).toBeLessThan(2000);
      await peer.set(key.sid, sessionData({ n: 2 }, hour));
      expect((await store.read(key))?.document.n).toBe(2);
      expect(await store.replace(key, revision ?? "", document, "keep"), "an overwritten one").toBeNull();
      const listed = (await store.listByUser?.("ada")) ?? [];
      expect(listed.map(({ stored }) => stored?.document.n)).toEqual([2]);
      await peer.destroy(key.sid);
      expect(await store.read(key)).toBeNull();
      expect(await store.touch(key, Date.now() + hour, document.cookie)).toBe(false);
      expect(await store.listByUser?.("ada")).toEqual([]);
    });

    it("counts, lists and clears the same sessions", async () => {
      await peer.set("theirs", sessionData({ n: 1 }, hour));
      await store.create(keyOf("ours"), stored({ n: 2 }, hour), Date.now() + hour, "ada");
      expect(await store.count?.()).toBe(2);
      expect(await peer.length()).toBe(2);
      expect((await peer.ids()).sort()).toEqual(["ours", "theirs"]);
      expect(Object.keys((await store.all?.()) ?? {}).sort()).toEqual(["ours", "theirs"]);
      expect((await peer.all()).map(({ n }: { n: number }) => n).sort()).toEqual([1, 2]);
      await peer.clear();
      expect(await store.count?.()).toBe(0);
    });

    it("leaves a session without an expiry, as disableTTL makes them, without one", async () => {
      await new RedisStore({ client: peer.client, prefix, disableTTL: true }).set(
        key.sid,
        sessionData({ n: 1 }, hour),
      );
      const found = await store.read(key);
      expect(found?.expiresAt).toBe(8_640_000_000_000_000);
      expect(await store.touch(key, Date.now() + hour, {})).toBe(true);
      expect(
        await store.replace(key, found?.revision ?? "", stored({ n: 2 }, hour), "keep", "ada"),
      ).toBeTruthy();
      expect(await raw.ttl(`${prefix}${key.sid}`)).toBe(-1);
      expect(await store.listByUser?.("ada")).toHaveLength(1);
    });

    it("reads and writes with a custom serializer", async () => {
      const serializer = {
        stringify: (value: object) => Buffer.from(JSON.stringify(value)).toString("base64"),
        parse: async (text: string) => JSON.parse(Buffer.from(text, "base64").toString()),
      };
      const [ours, theirs] = [
        storeForTest({ client: await clientForTest(from, server.url), prefix, serializer }),
        new RedisStore({ client: peer.client, prefix, serializer }),
      ];
      await theirs.set(key.sid, sessionData({ n: 1 }, hour));
      const found = await ours.read(key);
      expect(found?.document.n).toBe(1);
      const document = stored({ n: 2 }, hour);
      const second = await ours.replace(key, found?.revision ?? "", document, "keep");
      expect(second).toBe((await ours.read(key))?.revision);
      expect(await theirs.get(key.sid)).toEqual(document);
      await expect(store.read(key), "without it").rejects.toThrow(/JSON/);
    });

    it("hides its index from an empty prefix", async () => {
      const url = `${server.url}/7`; // a database of its own
      await rawClient(url).flushdb();
      const bare = storeForTest({ client: await clientForTest(from, url), prefix: "" });
      const theirs = new RedisStore({ client: await clientForTest("redis", url), prefix: "" });
      await bare.create(key, stored({ n: 1 }, hour), Date.now() + hour, "ada");
      expect(Object.keys((await bare.all?.()) ?? {})).toEqual([key.sid]);
      expect(await bare.count?.()).toBe(1);
      expect(await theirs.all()).toHaveLength(1);
      await bare.clear?.();
      expect(await theirs.all()).toEqual([]);
      await rawClient(url).flushdb();
    });
  });
});

function sessionData(data: Record<string, unknown>, maxAge: number): SessionData {
  const cookie = Object.assign(new Cookie(), { originalMaxAge: maxAge, maxAge });
  return { cookie, ...data };
}

/** The document that `express-session` makes of such a session. */
function stored(data: Record<string, unknown>, maxAge: number): SessionDocument {
  return JSON.parse(JSON.stringify(sessionData(data, maxAge)));
}
