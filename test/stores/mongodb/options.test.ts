import { MongoClient } from "mongodb";
import { describe, expect, it, onTestFinished } from "vitest";
import { mongodbStore } from "../../../src/stores/mongodb/store.ts";

/** Never connects. */
const client = new MongoClient("mongodb://127.0.0.1:1/");
const unacknowledged = new MongoClient("mongodb://127.0.0.1:1/?w=0");

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
    [{ client, ttl: "1h" }, "`ttl` of mongodbStore() expects a number of seconds"],
    [
      { client, autoRemoveInterval: -1 },
      "`autoRemoveInterval` of mongodbStore() expects a number of minutes",
    ],
    [{ client, autoRemove: "sometimes" }, '"native", "interval", "disabled"'],
    [{ client, feed: "notify" }, '"change stream"'],
    [{ collection: {} }, "Give `client` and `dbName`"],
    [{ client, writeOperationOptions: { w: 0 } }, "w: 0"],
    [{ client: unacknowledged }, "w: 0"],
    [{ client: unacknowledged, writeOperationOptions: { journal: true } }, "w: 0"],
    [{ collection: unacknowledged.db("app").collection("own") }, "w: 0"],
    [
      { client, writeOperationOptions: "majority" },
      "`writeOperationOptions` of mongodbStore() expects an object",
    ],
    [{ client, transformId: "hex" }, "`transformId` of mongodbStore() expects a function"],
    [{ client, originalId: {} }, "`originalId` of mongodbStore() expects a function"],
    [{ client, serialize: true }, "`serialize` of mongodbStore() expects a function"],
    [{ client, unserialize: null }, "`unserialize` of mongodbStore() expects a function"],
    [{ client, stringify: "no" }, "`stringify` of mongodbStore() expects true or false"],
    [{ client, timestamps: 1 }, "`timestamps` of mongodbStore() expects true or false"],
    [{ client, ttl: 0 }, "a number of seconds greater than 0"],
    [{ client, ttl: null }, "`ttl` of mongodbStore() expects a number of seconds"],
    [{ client, autoRemove: "interval", autoRemoveInterval: 0 }, "expects a number of minutes greater than 0"],
    [{ client, clock: 5 }, "`clock` of mongodbStore() expects"],
    [{ client, clock: {} }, "`clock` of mongodbStore() expects"],
    [{ client, dbName: 5 }, "`dbName` of mongodbStore() expects a name"],
    [{ client, collectionName: "" }, "`collectionName` of mongodbStore() expects a name"],
    [{ client, cryptoAdapter: false, crypto: {} }, "Encrypted sessions"],
    [{ client, constructor: 1 }, "mongodbStore() has no option `constructor`. The options are"],
    [undefined, "client: new MongoClient(url)"],
    [null, "client: new MongoClient(url)"],
  ])("refuses %o, with the cure", (options, cure) => {
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
  });

  it("accepts options that change nothing, as connect-mongo's own defaults do", () => {
    const harmless = [
      { crypto: undefined },
      { cryptoAdapter: null, crypto: { secret: false } },
      { autoRemove: "disabled", autoRemoveInterval: 0 },
      { touchAfter: 0 },
      { writeOperationOptions: { w: 1 } },
      { client: unacknowledged, writeOperationOptions: { w: "majority" } },
    ] as const;
    for (const options of harmless) {
      const store = mongodbStore({ client, ...options } as Parameters<typeof mongodbStore>[0]);
      onTestFinished(() => store.close());
      expect(store.name).toBe("mongodb");
    }
  });

  it("accepts a collection of any driver from version 6 on", () => {
    const own = client.db("app").collection("own");
    const older = { ...own, dbName: "app", collectionName: "own", db: undefined, client };
    for (const collection of [own, older]) {
      const store = mongodbStore({ collection: collection as typeof own });
      onTestFinished(() => store.close());
      expect(store.name).toBe("mongodb");
    }
  });
});
