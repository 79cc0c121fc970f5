/** Documents that something else has written, and that are no sessions, or none of these options. */
import { expect, it, onTestFinished } from "vitest";
import { type MongodbStoreOptions, mongodbStore } from "../../src/stores/mongodb.ts";
import { withService } from "../setup/services.ts";
import { databaseOfTest } from "./mongodb-databases.ts";
import { keyOf } from "./session-keys.ts";

const server = withService("mongodb");
const later = () => Date.now() + 3_600_000;

async function setUp() {
  const { client, name } = await databaseOfTest(server.url);
  const collection = client.db(name).collection<{ _id: string }>("sessions");
  const open = (options: MongodbStoreOptions = {}) => {
    const store = mongodbStore({ collection, ...options });
    onTestFinished(() => store.close());
    return store;
  };
  return { collection, open };
}

server.describe("a session in MongoDB that can't be read", () => {
  it("is listed without what it holds, left out of all, and keeps no other from either", async () => {
    const { collection, open } = await setUp();
    const store = open();
    for (const sid of ["1", "2", "3"])
      await store.create(keyOf(sid), { cookie: {}, of: sid }, later(), "ada");
    await collection.updateOne({ _id: "2" }, { $set: { session: '{"cookie":{},"of' } });
    const listed = (await store.listByUser?.("ada")) ?? [];
    expect(new Map(listed.map(({ sid, stored }) => [sid, stored?.document.of]))).toEqual(
      new Map([
        ["1", "1"],
        ["2", undefined],
        ["3", "3"],
      ]),
    );
    expect(listed.find(({ sid }) => sid === "2")?.stored).toBeNull();
    expect(Object.keys((await store.all?.()) ?? {}).sort()).toEqual(["1", "3"]);
    const irreversible = open({ transformId: (sid) => sid });
    expect(await irreversible.all?.()).toMatchObject([{ of: "1" }, { of: "3" }]);
    await expect(store.read(keyOf("2"))).rejects.toThrow("as connect-mongo keeps it");
    await expect(store.readMany?.([keyOf("1"), keyOf("2")])).rejects.toThrow("as connect-mongo keeps it");
    expect(await store.destroy(keyOf("2"), "revoked")).toBe(true);
  });
});
