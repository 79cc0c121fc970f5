import type { SessionStore } from "../../../src/session-store.ts";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { type TestedService, withService } from "../../setup/services.ts";
import { newPlace } from "../../support/store-address.ts";
import { describeStore, type StoreTraits } from "../conformance.ts";
import { describeProcesses } from "../describe-processes.ts";
import { SetClock } from "../set-clock.ts";
import { openStalledLink } from "../stalled-link.ts";
import { newDatabase } from "./databases.ts";

const traits = {
  ...{
    atomic: true,
    feed: true,
    uniqueRevisions: false,
    exactExpiry: true,
    users: true,
    tickets: true,
    notes: true,
  },
  damage: "any text",
  stalls: true,
} as const;

function describeMongodb(
  name: string,
  service: TestedService,
  own: Partial<StoreTraits>,
  options: MongodbStoreOptions,
): void {
  describeStore(`mongodbStore, ${name}`, { ...traits, ...own }, async () => {
    const link = await openStalledLink(service.url);
    const database = await newDatabase(link.url);
    const clock = new SetClock();
    const stores: SessionStore[] = [];
    return {
      open() {
        const store = mongodbStore({ client: database.client, dbName: database.name, clock, ...options });
        stores.push(store);
        return store;
      },
      now: () => clock.now(),
      advance: (ms) => clock.advance(ms),
      async damage(sid, session) {
        const collection = database.client.db(database.name).collection<{ _id: string }>("sessions");
        await collection.updateOne({ _id: sid }, { $set: { session } });
      },
      async end() {
        await Promise.all(stores.map((store) => store.close()));
        await database.drop();
        link.close();
      },
      stall: link.stall,
    };
  });
}

const addressOn = ({ url }: TestedService) => ({ kind: "mongodb", url, place: newPlace() }) as const;
const asObjects = { anyKey: false, anyText: false };

const standalone = withService("mongodb");
// FerretDB looks at every session for each write.
const onStandalone = { manySessions: 100 };
standalone.describe("on a standalone server", () => {
  describeMongodb("texts", standalone, onStandalone, {});
  // FerretDB takes twice as long for each level of an object that it compares.
  describeMongodb("objects", standalone, { ...asObjects, ...onStandalone, levels: 10 }, { stringify: false });
  describeProcesses(() => addressOn(standalone));
});

const replicaSet = withService("mongodb-replica");
replicaSet.describe("on a replica set", () => {
  describeMongodb("texts", replicaSet, {}, {});
  describeMongodb("objects", replicaSet, asObjects, { stringify: false });
  describeProcesses(() => addressOn(replicaSet));
});
