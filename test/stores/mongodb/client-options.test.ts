/** A client may be set to read numbers as BSON objects, or documents as bytes: the store reads with its own settings. */
import { MongoClient, type MongoClientOptions } from "mongodb";
import { expect, onTestFinished, test } from "vitest";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { feedOptions, Heard } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { databaseOfTest } from "./databases.ts";

const settings: MongoClientOptions[] = [
  { promoteValues: false },
  { promoteLongs: false },
  { promoteBuffers: true },
  { useBigInt64: true },
  { raw: true },
  { bsonRegExp: true },
  { ignoreUndefined: true },
  { serializeFunctions: true },
  { enableUtf8Validation: false },
  { forceServerObjectId: true },
  { readPreference: "secondaryPreferred", readConcern: { level: "majority" } },
];

const later = () => Date.now() + 3_600_000;
const patience = { timeout: 10_000, interval: 10 };

/** All that a store does, and what its feed tells of it to another node. */
async function expectWorking(options: MongodbStoreOptions, ofOther: MongodbStoreOptions): Promise<void> {
  const [store, other] = [mongodbStore(options), mongodbStore(ofOther)];
  onTestFinished(() => Promise.all([store.close(), other.close()]).then(() => {}));
  const heard = new Heard();
  const stop = await store.changes?.(heard, feedOptions);
  const key = keyOf("a session");
  const document = { cookie: {}, n: 1, big: 2 ** 40, half: 0.5, list: [1, { deep: 2 }] };
  const revision = await store.create(key, document, later(), "ada");
  expect(await store.create(key, document, later())).toBeNull();
  expect(await store.read(key)).toMatchObject({ document, revision });
  const written = await other.replace(key, revision ?? "", { ...document, n: 2 }, "keep", "ada", "a token");
  expect(written).not.toBeNull();
  expect(await store.replace(key, revision ?? "", document, "keep")).toBeNull();
  expect(await store.replace(key, written ?? "", { ...document, n: 3 }, later(), "ada")).not.toBeNull();
  expect(await store.touch(key, later() + 60_000, {}, "ada")).toBe(true);
  expect(await store.readMany?.([key])).toMatchObject([{ document: { ...document, n: 3 } }]);
  expect(await store.listByUser?.("ada")).toMatchObject([{ sid: key.sid }]);
  expect(await store.all?.()).toMatchObject({ [key.sid]: { n: 3, big: 2 ** 40 } });
  expect(await store.count?.()).toBe(1);
  await store.putTicket?.("a ticket", "{}", later());
  expect(await other.takeTicket?.("a ticket")).toBe("{}");
  expect(await other.destroy(key, "destroyed")).toBe(true);
  expect(await store.destroy(key, "destroyed")).toBe(false);
  await expect
    .poll(() => heard.changes, patience)
    .toContainEqual(expect.objectContaining({ kind: "ended", reason: "destroyed" }));
  expect(heard.changes.filter(({ kind }) => kind === "changed").length).toBeGreaterThanOrEqual(2);
  expect(heard.errors).toEqual([]);
  await stop?.();
}

for (const name of ["mongodb", "mongodb-replica"] as const) {
  const service = withService(name);
  service.describe(`a client of ${name}`, () => {
    test.each(settings)("with %o works, directly and through one of its collections", async (setting) => {
      const { url, name: dbName, client: plain } = await databaseOfTest(service.url);
      const client = await new MongoClient(url, setting).connect();
      onTestFinished(() => client.close());
      await expectWorking({ client, dbName }, { client: plain, dbName });
      const collection = client.db(dbName).collection("own");
      const collectionOfOther = { client: plain, dbName, collectionName: "own", stringify: false };
      await expectWorking({ collection, stringify: false }, collectionOfOther);
    });

    test("whose collection has a write concern keeps it", async () => {
      const { client, name: dbName } = await databaseOfTest(service.url);
      const commands: unknown[] = [];
      client.on("commandStarted", ({ commandName, command }) => {
        if (commandName === "update") commands.push(command.writeConcern);
      });
      const collection = client.db(dbName).collection("own", { writeConcern: { w: 1, journal: true } });
      const store = mongodbStore({ collection });
      onTestFinished(() => store.close());
      await store.create(keyOf("a session"), { cookie: {} }, later());
      expect(commands).toEqual([{ w: 1, j: true }]);
    });
  });
}
