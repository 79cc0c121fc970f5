/**
 * MongoDB: a replica set, whose change streams report every write, and a standalone server with a capped collection.
 * Their feeds poll, so a deaf route makes no difference to them.
 */
import { mongodbStore } from "../../../src/stores/mongodb/store.ts";
import type { DatabaseKind } from "./database.ts";
import { simulatedClient } from "./mongodb/driver.ts";
import { MongodbServer } from "./mongodb/server.ts";
import { MongodbTopology } from "./mongodb/topology.ts";

export const mongodb = kind("mongodb", true);
export const mongodbStandalone = kind("mongodb standalone", false);

function kind(name: string, isReplicaSet: boolean): DatabaseKind {
  return {
    name,
    feed: isReplicaSet ? "complete" : "by writer",
    make(world, ledger) {
      const server = new MongodbServer(world, ledger, isReplicaSet);
      return {
        server,
        open: ({ clock }, route) => {
          const client = simulatedClient(server, new MongodbTopology(route, isReplicaSet));
          return mongodbStore({ client, clock });
        },
      };
    },
  };
}
