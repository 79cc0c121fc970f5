import { type ChangeStreamDocument, type Collection, Long, MongoClient, type Timestamp } from "mongodb";
import { afterEach, beforeEach, expect, test } from "vitest";
import { startMongo, startMongoReplica } from "../../scripts/services/mongodb.mjs";
import { withService } from "./services.ts";

interface Thing {
  _id: string;
  revision?: number;
  value?: unknown;
  expires?: Date;
}

const standalone = withService("mongodb");
const replica = withService("mongodb-replica");

const open: { close(): Promise<unknown> }[] = [];
const opened = <T extends { close(): Promise<unknown> }>(one: T): T => {
  open.push(one);
  return one;
};
afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one.close();
});

const connect = (url: string) => opened(new MongoClient(url, { serverSelectionTimeoutMS: 5_000 })).connect();

let name: string;
beforeEach(() => {
  name = `servers_test_${crypto.randomUUID().replaceAll("-", "")}`;
});

/** Writes that a store makes, at once and one by one, each with its outcome. */
async function expectAtomicUpdates(things: Collection<Thing>): Promise<void> {
  await things.updateOne({ _id: "a" }, { $set: { revision: 0 } }, { upsert: true });
  for (let revision = 0; revision < 10; revision++) {
    const attempts = Array.from({ length: 8 }, () =>
      things.updateOne({ _id: "a", revision }, { $set: { revision: revision + 1 } }),
    );
    const won = (await Promise.all(attempts)).filter(({ matchedCount }) => matchedCount === 1);
    expect(won, "exactly one of several conditional updates wins").toHaveLength(1);
  }
  await Promise.all(
    Array.from({ length: 40 }, () => things.updateOne({ _id: "a" }, { $inc: { revision: 1 } })),
  );
  const later = new Date(Date.now() + 60_000);
  await things.updateOne({ _id: "a" }, { $max: { expires: later } });
  await things.updateOne({ _id: "a" }, { $max: { expires: new Date() } });
  expect(await things.findOne({ _id: "a" })).toEqual({ _id: "a", revision: 50, expires: later });
  await expect(things.insertOne({ _id: "a" })).rejects.toMatchObject({ code: 11_000 });
}

standalone.describe("the standalone MongoDB of the tests", () => {
  test("is no replica set, and updates atomically", async () => {
    const client = await connect(standalone.url);
    expect(await client.db("admin").command({ hello: 1 })).not.toHaveProperty("setName");
    const things = client.db(name).collection<Thing>("things");
    await things.createIndex({ expires: 1 }, { expireAfterSeconds: 0 });
    await expectAtomicUpdates(things);
    await client.db(name).dropDatabase();
  });

  test("has capped collections, whose tailable cursors wait for what comes", async () => {
    const client = await connect(standalone.url);
    const feed = await client.db(name).createCollection<Thing>("feed", { capped: true, size: 1_000_000 });
    await feed.insertOne({ _id: "first" });
    const cursor = opened(feed.find({}, { tailable: true, awaitData: true, batchSize: 1 }));
    expect(await cursor.next()).toEqual({ _id: "first" });
    const next = cursor.next();
    await feed.insertOne({ _id: "second" });
    expect(await next).toEqual({ _id: "second" });
    await client.db(name).dropDatabase();
  });

  test("of one's own keeps its port and data when it is killed and started again", async () => {
    const server = opened(await startMongo());
    const things = (await connect(server.url)).db(name).collection<Thing>("things");
    await things.insertOne({ _id: "kept" }, { writeConcern: { w: "majority", journal: true } });
    await server.kill();
    await server.start();
    const again = (await connect(server.url)).db(name).collection<Thing>("things");
    expect(await again.findOne()).toEqual({ _id: "kept" });
  });
});

/** The fields of an event that a store reads. */
function essence(event: ChangeStreamDocument<Thing>): object {
  return {
    type: event.operationType,
    ...("documentKey" in event && { key: event.documentKey }),
    ...("fullDocument" in event && { document: event.fullDocument }),
    ...("updateDescription" in event && {
      updated: event.updateDescription.updatedFields,
      removed: event.updateDescription.removedFields,
    }),
  };
}

replica.describe("the MongoDB replica set of the tests", () => {
  test("is one, whether or not the client looks for it, and updates atomically", async () => {
    const url = new URL(replica.url);
    url.searchParams.delete("directConnection");
    const first = await connect(replica.url);
    const { setName } = await first.db("admin").command({ hello: 1 });
    url.searchParams.set("replicaSet", setName);
    for (const client of [first, await connect(url.href)]) {
      await expectAtomicUpdates(client.db(name).collection<Thing>("things"));
      await client.db(name).dropDatabase();
    }
  });

  test("tells each change, by its document and what changed", async () => {
    const things = (await connect(replica.url)).db(name).collection<Thing>("things");
    const stream = opened(things.watch([], { fullDocument: "updateLookup" }));
    expect(await stream.tryNext()).toBeNull();
    const next = async () => essence(await stream.next());
    const key = { _id: "a" };

    await things.updateOne(key, { $set: { revision: 1, value: { n: 1 } } }, { upsert: true });
    const inserted = { _id: "a", revision: 1, value: { n: 1 } };
    expect(await next()).toEqual({ type: "insert", key, document: inserted });

    await things.updateOne({ ...key, revision: 1 }, { $set: { "value.n": 2 }, $unset: { revision: 1 } });
    expect(await next()).toEqual({
      ...{ type: "update", key, document: { _id: "a", value: { n: 2 } } },
      ...{ updated: { "value.n": 2 }, removed: ["revision"] },
    });

    await things.updateOne(key, { $set: { "value.n": 2 } });
    await things.findOneAndUpdate(key, { $set: { revision: 3 } });
    expect(await next()).toEqual({
      ...{ type: "update", key, document: { _id: "a", value: { n: 2 }, revision: 3 } },
      ...{ updated: { revision: 3 }, removed: [] },
    });

    await things.replaceOne(key, { value: 4 });
    expect(await next()).toEqual({ type: "replace", key, document: { _id: "a", value: 4 } });
    await things.findOneAndDelete(key);
    expect(await next()).toEqual({ type: "delete", key });
  });

  test("resumes after an event, and from a time", async () => {
    const client = await connect(replica.url);
    const things = client.db(name).collection<Thing>("things");
    const stream = opened(things.watch());
    expect(await stream.tryNext()).toBeNull();
    await things.insertMany([{ _id: "a" }, { _id: "b" }]);
    const { _id: token } = await stream.next();

    const resumed = opened(things.watch([{ $match: { operationType: "insert" } }], { resumeAfter: token }));
    expect(await resumed.next()).toMatchObject({ documentKey: { _id: "b" } });

    const { operationTime }: { operationTime?: Timestamp } = await client.db("admin").command({ hello: 1 });
    if (operationTime === undefined) throw new Error("expected an operationTime in the answer to hello");
    await things.insertOne({ _id: "c" });
    const started = opened(things.watch([], { startAtOperationTime: operationTime }));
    const insertOfC = { type: "insert", key: { _id: "c" }, document: { _id: "c" } };
    // The change at that very time comes too.
    let event = await started.next();
    while (!("documentKey" in event) || event.documentKey._id !== "c") event = await started.next();
    expect(essence(event)).toEqual(insertOfC);
  });

  test("carries out once a write that is tried again", async () => {
    const client = await connect(replica.url);
    const things = client.db(name).collection<Thing>("things");
    await things.insertOne({ _id: "a", revision: 0 });
    const session = client.startSession();
    open.push({ close: () => session.endSession() });
    const updates = [{ q: { _id: "a" }, u: { $inc: { revision: 1 } } }];
    const write = () =>
      client.db(name).command({ update: "things", updates, txnNumber: Long.fromNumber(1_000) }, { session });
    expect([await write(), await write()]).toMatchObject([{ nModified: 1 }, { nModified: 1 }]);
    expect(await things.findOne({ _id: "a" })).toMatchObject({ revision: 1 });
  });

  test("of one's own is a primary again when it was killed and started again", async () => {
    const server = opened(await startMongoReplica());
    const { url } = server;
    await (await connect(url)).db(name).collection<Thing>("things").insertOne({ _id: "a" });
    await server.kill();
    await server.start();
    const { isWritablePrimary } = await (await connect(url)).db("admin").command({ hello: 1 });
    expect(isWritablePrimary).toBe(true);
  });
});
