import MongoStore from "connect-mongo";
import { MongoClient } from "mongodb";
import { loadLibrary } from "../run/library.ts";
import type { StoreKind } from "./store.ts";

const kind: Pick<StoreKind, "address" | "open"> = {
  address: "mongodb",
  async open({ url, place: dbName }) {
    const client = await new MongoClient(url).connect();
    let store: MongoStore | undefined;
    return {
      async forExpressSession() {
        store ??= MongoStore.create({ client, dbName });
        return store;
      },
      forLibrary: async (checkout) =>
        (await loadLibrary(checkout, "./mongodb")).mongodbStore({ client, dbName }),
      read: (id) => client.db(dbName).collection<{ _id: string }>("sessions").findOne({ _id: id }),
      close: () => client.close(),
    };
  },
};

export const mongodb: StoreKind = {
  ...kind,
  name: "mongodb",
  title: "MongoDB, standalone",
  service: "mongodb",
};

export const mongodbReplica: StoreKind = {
  ...kind,
  name: "mongodb-replica",
  title: "MongoDB, replica set",
  service: "mongodb-replica",
};
