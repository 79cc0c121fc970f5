/** Next to connect-mongo 6 itself, on one collection. */
import MongoStore from "connect-mongo";
import { ObjectId } from "mongodb";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { asJson, describeBeside, handed, lasting } from "../describe-beside.ts";
import { keyOf } from "../session-keys.ts";
import { databaseOfTest, promisedPeer, type TestDatabase } from "./databases.ts";

const servers = [
  { server: withService("mongodb"), isReplicaSet: false },
  { server: withService("mongodb-replica"), isReplicaSet: true },
];
const key = keyOf("a session");
const patience = { timeout: 10_000 };
const HOUR = 3_600_000;

describe.each(servers)("mongodbStore beside connect-mongo, server %#", ({ server, isReplicaSet }) => {
  server.describe.each([true, false])("with stringify: %s", (stringify) => {
    let database: TestDatabase;
    let store: SessionStore;
    let peer: ReturnType<typeof promisedPeer>;

    const open = (options: MongodbStoreOptions = {}) => {
      const opened = mongodbStore({ client: database.client, dbName: database.name, stringify, ...options });
      onTestFinished(() => opened.close());
      return opened;
    };
    const openPeer = (options: object = {}) =>
      promisedPeer(
        MongoStore.create({ client: database.client, dbName: database.name, stringify, ...options }),
      );
    beforeEach(async () => {
      database = await databaseOfTest(server.url);
      store = open();
      peer = openPeer();
    });

    const collection = () => database.client.db(database.name).collection<{ _id: string }>("sessions");
    const stored = () => collection().findOne({ _id: key.sid });
    describeBeside("on one collection", { notices: isReplicaSet }, async () => {
      const peer = MongoStore.create({ client: database.client, dbName: database.name, stringify });
      return { ours: store, peer };
    });

    it("stores the same", async () => {
      const document = { ...lasting(HOUR), name: "é\0", nested: { "": [1, null, 1.5e-7] } };
      await store.create(key, document, Date.parse(document.cookie.expires));
      const ours = await stored();
      await collection().deleteMany({});
      await peer.set(key.sid, handed(document));
      expect(await stored()).toEqual(ours);
      expect(typeof ours?._id).toBe("string");
    });

    it("leaves nothing of its own that the other lists or counts", async () => {
      await store.create(key, { ...lasting(HOUR), n: 1 }, Date.now() + HOUR, "ada");
      await store.create(keyOf("over"), { ...lasting(HOUR) }, Date.now() + HOUR, "ada");
      await store.destroy(keyOf("over"), "revoked");
      await store.putTicket?.("a ticket", "{}", Date.now() + HOUR);
      await expect.poll(() => peer.length(), patience).toBe(1);
      expect(await peer.all()).toMatchObject([{ n: 1 }]);
      expect(await store.takeTicket?.("a ticket")).toBe("{}");
      await store.clear?.();
      expect(await peer.length()).toBe(0);
    });

    it("makes the index that the other makes", async () => {
      await store.read(key);
      await expect
        .poll(async () => (await indexes()).map(({ name }) => name), patience)
        .toContain("expires_1");
      const ours = await indexes();
      await collection().drop();
      await openPeer().get(key.sid); // waits for its index
      expect(await indexes()).toEqual(ours);
    });
    const indexes = () => collection().indexes();

    it("lets a session without `expires` live for ever, until its life time is set", async () => {
      const session = stringify ? '{"cookie":{},"n":1}' : { cookie: {}, n: 1 };
      await collection().insertOne({ _id: key.sid, session } as { _id: string });
      const found = await store.read(key);
      expect(found?.document.n).toBe(1);
      expect(found?.expiresAt).toBeGreaterThan(Date.now() + 1e6 * HOUR);
      expect(await store.touch(key, Date.now() + HOUR, {})).toBe(true);
      expect(await store.touch(key, Date.now() + HOUR, {}, "ada")).toBe(true);
      expect(await stored()).not.toHaveProperty("expires");
      expect(
        await store.replace(key, found?.revision ?? "", { cookie: {}, n: 2 }, Date.now() + HOUR),
      ).not.toBeNull();
      expect(await stored()).toHaveProperty("expires");
    });

    it("gives the other's life time to a session that has none of its own", async () => {
      await peer.set(key.sid, { cookie: { originalMaxAge: null, expires: null, path: "/" }, n: 1 });
      const { expiresAt = 0 } = (await store.read(key)) ?? {};
      expect(Math.abs(expiresAt - Date.now() - (store.ttlMs ?? 0))).toBeLessThan(60_000);
    });

    it("understands transformed ids, and keeps touchAfter's and timestamps' fields", async () => {
      const options = { transformId: (sid: string) => `app:${sid}`, touchAfter: 3600, timestamps: true };
      const ours = open({ ...options, originalId: (stored) => stored.slice(4) });
      const theirs = openPeer(options);
      const document = { ...lasting(HOUR), n: 1 };
      await ours.create(key, document, Date.now() + HOUR, "ada");
      const found = await theirs.get(key.sid);
      expect(found).toMatchObject({ n: 1, lastModified: expect.any(Date) });
      await theirs.set(key.sid, { ...handed(document), n: 2 });
      const { revision = "" } = (await ours.read(key)) ?? {};
      expect(await ours.replace(key, revision, { ...document, n: 3 }, "keep", "ada")).not.toBeNull();
      expect(asJson(await theirs.get(key.sid))).toMatchObject({ n: 3 });
      expect((await ours.listByUser?.("ada"))?.map(({ sid }) => sid)).toEqual([key.sid]);
      expect(Object.keys((await ours.all?.()) ?? {})).toEqual([key.sid]);
      const raw = await collection().findOne({ _id: `app:${key.sid}` });
      expect(raw).toMatchObject({ createdAt: expect.any(Date), updatedAt: expect.any(Date) });
      expect(open(options).listByUser).toBeUndefined();
    });

    const encryptions = [
      { crypto: { secret: "a secret of the other" } },
      {
        cryptoAdapter: {
          encrypt: async (text: string) => btoa(text),
          decrypt: async (text: string) => atob(text),
        },
      },
    ];
    it.each(encryptions)("refuses sessions that the other has encrypted, by %o", async (encryption) => {
      await openPeer(encryption).set(key.sid, { ...lasting(HOUR), n: 1 });
      await expect(store.read(key)).rejects.toThrow(/[Ee]ncrypted .* crypto/);
      expect(await store.create(key, { cookie: {} }, Date.now() + HOUR), "it is there").toBeNull();
    });
  });

  server.describe("with sessions as objects", () => {
    it("leaves dates dates, and refuses what is neither JSON nor a date", async () => {
      const database = await databaseOfTest(server.url);
      const place = { client: database.client, dbName: database.name, stringify: false };
      const store = mongodbStore(place);
      onTestFinished(() => store.close());
      const peer = promisedPeer(MongoStore.create(place));
      const at = new Date(1_700_000_000_123);
      await peer.set(key.sid, { cookie: { originalMaxAge: null }, at, list: [{ at }], n: 1 });
      const found = await store.read(key);
      expect(found?.document).toMatchObject({ at: at.toISOString(), list: [{ at: at.toISOString() }] });
      const later = new Date(1_800_000_000_456);
      const changed = { ...found?.document, cookie: {}, n: 2, list: [{ at: later.toISOString() }] };
      expect(await store.replace(key, found?.revision ?? "", changed, "keep")).not.toBeNull();
      expect(await peer.get(key.sid)).toMatchObject({ at, list: [{ at: later }], n: 2 });
      await peer.set(key.sid, { cookie: { originalMaxAge: null }, user: { id: new ObjectId() } });
      await expect(store.read(key)).rejects.toThrow('"user" holds a value of type ObjectId');
    });
  });
});
