/** The feeds of the MongoDB store when their cursors are killed. */
import { type CommandSucceededEvent, Long } from "mongodb";
import { beforeEach, describe, expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { everythingTold, Heard, isOf, listen, openFeed } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { databaseOfTest, type TestDatabase } from "./databases.ts";

const standalone = withService("mongodb");
const replicaSet = withService("mongodb-replica");
const patience = { timeout: 20_000, interval: 10 };
const later = () => Date.now() + 3_600_000;

let database: TestDatabase;
/** The `_id`s of the cursors that the feed has opened, in order. */
let cursors: unknown[];

async function setUp(url: string): Promise<void> {
  database = await databaseOfTest(url);
  cursors = [];
  database.client.on("commandSucceeded", ({ commandName, reply }: CommandSucceededEvent) => {
    const cursor = Reflect.get(Object(reply), "cursor");
    if (["find", "aggregate"].includes(commandName) && cursor && String(cursor.id) !== "0")
      cursors.push(cursor.id);
  });
}

function open(options: MongodbStoreOptions = {}): SessionStore {
  const store = mongodbStore({ client: database.client, dbName: database.name, ...options });
  onTestFinished(() => store.close());
  return store;
}

async function write(store: SessionStore, ...ids: string[]): Promise<void> {
  for (const sid of ids) {
    await store.create(keyOf(sid), { cookie: {} }, later());
    await store.destroy(keyOf(sid), "revoked");
  }
}

const namesOf = (heard: Heard, ids: string[]) =>
  heard.changes.map((change) => ids.find((sid) => isOf(change, keyOf(sid))));

describe.each([
  { server: standalone, name: "sessions_changes", kind: "capped collection", complete: false },
  { server: replicaSet, name: "sessions", kind: "change stream", complete: true },
])("the feed, $kind", ({ server, name, kind, complete }) => {
  server.describe("on its server", () => {
    beforeEach(() => setUp(server.url));

    it("is chosen by the server, and reported", async () => {
      const store = open();
      expect(store.feed).toBeUndefined();
      await listen(store);
      expect(store.feed).toEqual({ kind, complete });
      expect(open({ feed: "change stream" }).feed).toEqual({ kind: "change stream", complete: true });
    });

    it("resumes where its cursor was killed, with nothing missed and nothing twice", {
      timeout: 60_000,
    }, async () => {
      const store = open();
      const heard = new Heard();
      // So rarely that a busy machine is not taken for a broken feed.
      await open().changes?.(heard, { heartbeatMs: 15_000 });
      const ids = ["1", "2", "3", "4", "5"];
      await write(store, "1");
      for (const sid of ids.slice(1)) {
        const known = cursors.length;
        await write(store, sid); // a capped collection is read from its beginning again
        const newest = Long.fromString(String(cursors.at(-1)));
        await database.client.db(database.name).command({ killCursors: name, cursors: [newest] });
        await expect.poll(() => cursors.length, patience).toBeGreaterThan(known);
      }
      await everythingTold(store, heard);
      expect(namesOf(heard, ids)).toEqual(ids);
      expect(heard.missedCount).toBe(0);
      expect(heard.errors).toEqual([]);
    });

    it("never publishes a session id", async () => {
      const store = open();
      const { heard } = await listen(store);
      await write(store, "a secret id");
      await everythingTold(store, heard);
      if (kind === "change stream") return; // its events are the database's own
      const messages = await database.client.db(database.name).collection(name).find().toArray();
      expect(messages.length).toBeGreaterThan(0);
      expect(JSON.stringify(messages)).not.toContain("a secret id");
    });

    it("sends a beat regularly, each as of a time before it", async () => {
      const signs: { asOf: number; at: number }[] = [];
      const ignore = () => {};
      await open().changes?.(
        {
          changed: ignore,
          broken: ignore,
          missed: ignore,
          alive: (asOf) => signs.push({ asOf, at: Date.now() }),
        },
        { heartbeatMs: 600 },
      );
      await expect.poll(() => signs.length, patience).toBeGreaterThan(3);
      expect(signs.every(({ asOf, at }) => asOf <= at)).toBe(true);
      expect(signs.at(-1)?.asOf).toBeGreaterThan(signs[0]?.asOf ?? Number.POSITIVE_INFINITY);
    });
  });
});

replicaSet.describe("the change stream", () => {
  beforeEach(() => setUp(replicaSet.url));

  it("is broken when the collection is dropped, and whole again", async () => {
    const { heard } = await listen(open());
    const store = open();
    await store.create(keyOf("1"), { cookie: {} }, later());
    await database.client.db(database.name).collection("sessions").drop();
    await expect.poll(() => heard.missedCount, patience).toBeGreaterThan(0);
    expect(heard.errors.length).toBeGreaterThan(0);
    heard.changes.splice(0);
    await write(store, "2");
    await everythingTold(store, heard);
    expect(namesOf(heard, ["2"])).toEqual(["2"]);
  });

  it("reports changes of sessions that it has read, if ids are transformed without a reverse", async () => {
    const options = { transformId: (sid: string) => Buffer.from(sid).toString("hex") };
    const store = open(options);
    const other = open(options);
    const { heard } = await listen(other);
    await store.create(keyOf("1"), { cookie: {} }, later());
    await store.create(keyOf("2"), { cookie: {} }, later());
    await other.read(keyOf("2"));
    await store.destroy(keyOf("1"), "revoked");
    await store.destroy(keyOf("2"), "revoked");
    await expect
      .poll(() => heard.changes, patience)
      .toEqual([{ kind: "ended", sid: "2", reason: "revoked" }]);
  });

  it("treats a session as over whose end was marked, though its removal failed and connect-mongo extended it", async () => {
    const store = open();
    const collection = database.client.db(database.name).collection<{ _id: string }>("sessions");
    await store.create(keyOf("1"), { cookie: {}, name: "ada" }, later(), "ada");
    const mark = { session: '{"cookie":{}}', expires: new Date(0), "socketSession.ended": "destroyed" };
    await collection.updateOne({ _id: "1" }, { $set: mark });
    await collection.updateOne({ _id: "1" }, { $set: { expires: new Date(later()) } }); // a touch of connect-mongo
    expect(await store.read(keyOf("1"))).toBeNull();
    expect(await store.touch(keyOf("1"), later(), {})).toBe(false);
    expect(await store.listByUser?.("ada")).toEqual([]);
    expect(await store.count?.()).toBe(0);
    expect(await store.create(keyOf("1"), { cookie: {}, n: 2 }, later())).not.toBeNull();
    expect((await store.read(keyOf("1")))?.document.n).toBe(2);
  });
});

standalone.describe("the capped collection", () => {
  beforeEach(() => setUp(standalone.url));

  it("reports `missed` if the next message was overwritten", { timeout: 60_000 }, async () => {
    const store = open();
    const heard = new Heard();
    await open().changes?.(heard, { heartbeatMs: 15_000 });
    await write(store, "1");
    await everythingTold(store, heard);
    const known = cursors.length;
    const db = database.client.db(database.name);
    // FerretDB removes the oldest documents at intervals of its own, which are long.
    await db.collection("sessions_changes").deleteMany({});
    await db.command({ killCursors: "sessions_changes", cursors: [Long.fromString(String(cursors.at(-1)))] });
    await expect.poll(() => cursors.length, patience).toBeGreaterThan(known);
    await expect.poll(() => heard.missedCount, patience).toBe(1);
    expect(heard.errors).toEqual([]);
    await write(store, "2");
    await everythingTold(store, heard);
    expect(namesOf(heard, ["1", "2"])).toEqual(["1", "2"]);
    expect(heard.missedCount).toBe(1);
  });

  it("is created again after it was dropped", { timeout: 60_000 }, async () => {
    const { heard } = await listen(open());
    const store = open();
    const db = database.client.db(database.name);
    await db.dropCollection("sessions_changes");
    await expect.poll(() => heard.missedCount, patience).toBeGreaterThan(0);
    await write(store, "1");
    await everythingTold(store, heard);
    const [info] = await db.listCollections({ name: "sessions_changes" }).toArray();
    expect(info).toMatchObject({ options: { capped: true } });
  });

  it("says what to do about an ordinary collection of its name", async () => {
    await database.client.db(database.name).collection("sessions_changes").insertOne({ n: 1 });
    await expect(openFeed(open())).rejects.toThrow("there is an ordinary collection of that name. Drop it");
  });

  it("reports a change to its own process though the message can't be written, and writes it later", async () => {
    const db = database.client.db(database.name);
    const changes = db.collection("sessions_changes");
    let refusing = false;
    const insertOne = changes.insertOne.bind(changes);
    changes.insertOne = (...args) =>
      refusing ? Promise.reject(new Error("not at the moment")) : insertOne(...args);
    const collection = db.collection.bind(db);
    Object.assign(db, {
      collection: (name: string) => (name === "sessions_changes" ? changes : collection(name)),
    });
    const store = mongodbStore({ client: { db: () => db } });
    onTestFinished(() => store.close());
    const near = await listen(store);
    const far = await listen(open());
    await store.create(keyOf("1"), { cookie: {} }, later());
    refusing = true;
    expect(await store.destroy(keyOf("1"), "revoked")).toBe(true);
    expect(near.heard.changes).toMatchObject([{ kind: "ended", reason: "revoked" }]);
    expect(far.heard.changes).toEqual([]);
    refusing = false;
    await expect
      .poll(() => far.heard.changes, patience)
      .toMatchObject([{ kind: "ended", reason: "revoked" }]);
  });
});
