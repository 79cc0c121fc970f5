/** Documents that something else has written, and that are no sessions, or none of these options. */
import { expect, it, onTestFinished } from "vitest";
import type { SessionDocument, SessionStore } from "../../../src/session-store.ts";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { everythingTold, Heard } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { databaseOfTest } from "./databases.ts";

const server = withService("mongodb");
const later = () => Date.now() + 3_600_000;

async function setUp(on = server) {
  const { client, name } = await databaseOfTest(on.url);
  const collection = client.db(name).collection<{ _id: string }>("sessions");
  const open = (options: MongodbStoreOptions = {}) => {
    const store = mongodbStore({ collection, ...options });
    onTestFinished(() => store.close());
    return store;
  };
  return { collection, open };
}

server.describe("a session in MongoDB that can't be read", () => {
  it("is left out of all where ids can't be had back either", async () => {
    const { collection, open } = await setUp();
    const store = open({ transformId: (sid) => sid });
    for (const sid of ["1", "2", "3"]) await store.create(keyOf(sid), { cookie: {}, of: sid }, later());
    await collection.updateOne({ _id: "2" }, { $set: { session: '{"cookie":{},"of' } });
    expect(await store.all?.()).toMatchObject([{ of: "1" }, { of: "3" }]);
    await expect(store.read(keyOf("2"))).rejects.toThrow("as connect-mongo keeps it");
  });

  it("is over or live, never neither: one that was given no end gives way to a new one", async () => {
    const { collection, open } = await setUp();
    const store = open();
    const session = '{"cookie":{},"n":1}';
    await collection.insertOne({ _id: "1", session, expires: null } as { _id: string });
    await collection.insertOne({ _id: "2", session } as { _id: string });
    expect(await store.read(keyOf("1"))).toBeNull();
    expect(await store.create(keyOf("1"), { cookie: {}, n: 2 }, later())).not.toBeNull();
    expect((await store.read(keyOf("1")))?.document.n).toBe(2);
    expect(await store.create(keyOf("2"), { cookie: {}, n: 2 }, later()), "lives for ever").toBeNull();
    expect((await store.read(keyOf("2")))?.document.n).toBe(1);
  });

  it("has an _id that is a text: what transformId makes otherwise is refused, by every operation", async () => {
    const { collection, open } = await setUp();
    const transformId = ((sid: string) => ({ of: sid })) as unknown as (sid: string) => string;
    const store = open({ transformId });
    const key = keyOf("a secret id");
    const refused = { code: "INVALID_OPTION", message: expect.stringMatching(/transformId .* string/) };
    const operations = [
      async () => store.create(key, { cookie: {} }, later()),
      async () => store.read(key),
      async () => store.readMany?.([key]),
      async () => store.replace(key, "revision", { cookie: {} }, later()),
      async () => store.touch(key, later(), {}),
      async () => store.destroy(key, "revoked"),
    ];
    for (const operation of operations) {
      const error: unknown = await operation().catch((thrown: unknown) => thrown);
      expect(error).toMatchObject(refused);
      expect(String(error)).not.toContain("a secret id");
    }
    expect(await collection.countDocuments()).toBe(0);
  });
});

const replicaSet = withService("mongodb-replica");
replicaSet.describe("a feed of a MongoDB replica set with options of one's own", () => {
  const prefix = "app:";
  const mine = {
    transformId: (sid: string) => prefix + sid,
    originalId: (stored: string) => {
      if (!stored.startsWith(prefix)) throw new Error("an id that is not mine");
      return stored.slice(prefix.length);
    },
  };

  /** So patiently that a busy machine is not taken for a broken feed. */
  async function listen(store: SessionStore): Promise<Heard> {
    const heard = new Heard();
    await store.changes?.(heard, { heartbeatMs: 15_000 });
    return heard;
  }

  it("passes over what originalId refuses, be it a foreign session or the mark of a clearing", async () => {
    const { collection, open } = await setUp(replicaSet);
    const store = open(mine);
    const heard = await listen(store);
    await store.create(keyOf("1"), { cookie: {} }, later());
    const foreign = { _id: "foreign", session: '{"cookie":{}}', expires: new Date(later()) };
    await collection.insertOne(foreign);
    await collection.updateOne({ _id: "foreign" }, { $set: { session: '{"cookie":{},"n":1}' } });
    expect(Object.keys((await store.all?.()) ?? {})).toEqual(["1"]);
    await store.clear?.();
    await everythingTold(store, heard);
    expect(heard.errors).toEqual([]);
    expect(heard.changes).toEqual([{ kind: "changed", sid: "1" }]);
    expect(heard.missedCount).toBe(1);
  });

  it("names no session by the mark of a clearing, and keeps one that is called like it", async () => {
    const { open } = await setUp(replicaSet);
    const store = open();
    const heard = await listen(store);
    await store.clear?.();
    await everythingTold(store, heard);
    expect(heard.changes).toEqual([]);
    expect(heard.missedCount).toBe(1);
    const key = keyOf("~cleared~2b0a5a4c-9a64-4e0e-9a3c-0d2a4a1f7c11");
    await store.create(key, { cookie: {} }, later());
    expect(Object.keys((await store.all?.()) ?? {})).toEqual([key.sid]);
    await store.destroy(key, "revoked");
    await everythingTold(store, heard);
    expect(heard.changes).toEqual([{ kind: "ended", sid: key.sid, reason: "revoked" }]);
  });

  it.each([["a text"], [7], [null], [["a list"]]])(
    "ends a session whose socketSession is of another type: %j",
    async (socketSession) => {
      const { collection, open } = await setUp(replicaSet);
      const store = open();
      const heard = await listen(store);
      await store.create(keyOf("1"), { cookie: {} }, later());
      await collection.updateOne({ _id: "1" }, { $set: { socketSession } });
      expect(await store.destroy(keyOf("1"), "revoked")).toBe(true);
      expect(await store.read(keyOf("1"))).toBeNull();
      await everythingTold(store, heard);
      expect(heard.changes.at(-1)).toEqual({ kind: "ended", sid: "1", reason: "revoked" });
    },
  );

  it("ends sessions without asking serialize, which may expect the application's data", async () => {
    const { collection, open } = await setUp(replicaSet);
    const serialize = (session: SessionDocument) =>
      JSON.stringify({ ...session, owner: Reflect.get(Object(session.user), "id").toFixed() });
    const store = open({ serialize });
    const heard = await listen(store);
    const user = { id: 5 };
    await store.create(keyOf("1"), { cookie: {}, user }, later());
    expect(await store.destroy(keyOf("1"), "revoked")).toBe(true);
    expect(JSON.stringify(await collection.findOne({ _id: "1" }))).not.toContain("owner");
    await store.create(keyOf("2"), { cookie: {}, user }, later());
    await store.clear?.();
    await expect.poll(() => heard.missedCount, { timeout: 10_000 }).toBe(1);
    expect(heard.changes[0]).toEqual({ kind: "ended", sid: "1", reason: "revoked" });
    expect(heard.errors).toEqual([]);
  });
});
