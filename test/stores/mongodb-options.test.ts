import { MongoClient } from "mongodb";
import { describe, expect, it, onTestFinished } from "vitest";
import { mongodbStore } from "../../src/stores/mongodb.ts";

/** Never connects. */
const client = new MongoClient("mongodb://127.0.0.1:1/");

describe("the options of mongodbStore", () => {
  it.each([
    [{}, "client: new MongoClient(url)"],
    [{ client: {} }, "client: new MongoClient(url)"],
    [{ mongoUrl: "mongodb://127.0.0.1/" }, "client: new MongoClient(url)"],
    [{ clientPromise: Promise.resolve(client) }, "Await it"],
    [{ client, mongoOptions: {} }, "client: new MongoClient(url)"],
    [{ client, crypto: { secret: "s" } }, "Encrypted sessions"],
    [{ client, cryptoAdapter: {} }, "Encrypted sessions"],
    [{ client, createAutoRemoveIdx: true }, "autoRemove"],
    [{ client, colectionName: "x" }, "colectionName"],
    [{ client, ttl: "1h" }, "ttl to be a number of seconds"],
    [{ client, autoRemoveInterval: -1 }, "autoRemoveInterval to be a number of minutes"],
    [{ client, autoRemove: "sometimes" }, '"native", "interval", "disabled"'],
    [{ client, feed: "notify" }, '"change stream"'],
    [{ collection: {} }, "Give client and dbName"],
  ])("refuses %o, and says what to do", (options, cure) => {
    const open = () => mongodbStore(options as Parameters<typeof mongodbStore>[0]);
    expect(open).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
    expect(open).toThrow(cure);
  });

  it("has connect-mongo's life time, or the one given", () => {
    const open = (options: object) => {
      const store = mongodbStore({ client, ...options });
      onTestFinished(() => store.close());
      return store;
    };
    expect(open({}).ttlMs).toBe(14 * 24 * 3_600_000);
    expect(open({ ttl: 60 }).ttlMs).toBe(60_000);
    expect(open({ crypto: undefined }).name).toBe("mongodb");
  });

  it("takes a collection of any driver from version 6 on", () => {
    const own = client.db("app").collection("own");
    const older = { ...own, dbName: "app", collectionName: "own", db: undefined, client };
    for (const collection of [own, older]) {
      const store = mongodbStore({ collection: collection as typeof own });
      onTestFinished(() => store.close());
      expect(store.name).toBe("mongodb");
    }
  });
});
