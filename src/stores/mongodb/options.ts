/** The options of `mongodbStore`: those of `connect-mongo`, with their names and defaults, and its own. */
import { clockOf } from "../../base/arguments.ts";
import type { Clock } from "../../base/clock.ts";
import { shown } from "../../base/shown.ts";
import type { SessionDocument } from "../../session-store.ts";
import { isRecord } from "../common/documents.ts";
import { checkStoreOptions, lifeTime, type OptionChecks } from "../common/options.ts";
import type { MongodbClient, MongodbCollection, MongodbDatabase, MongodbWriteConcern } from "./client.ts";
import type { MongodbFeedKind } from "./feed.ts";
import { placeOf } from "./place.ts";

export interface MongodbStoreOptions {
  client?: MongodbClient;
  dbName?: string;
  collectionName?: string;
  collection?: MongodbCollection;
  ttl?: number;
  touchAfter?: number;
  stringify?: boolean;
  serialize?: (session: SessionDocument) => unknown;
  unserialize?: (stored: unknown) => unknown;
  transformId?: (sid: string) => string;
  originalId?: (transformed: string) => string;
  autoRemove?: "native" | "interval" | "disabled";
  autoRemoveInterval?: number;
  timestamps?: boolean;
  writeOperationOptions?: MongodbWriteConcern;
  feed?: MongodbFeedKind | "auto";
  clock?: Clock;
}

export interface ResolvedMongodbOptions {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
  readonly ttlMs: number;
  readonly touchAfter: number;
  readonly stringify: boolean;
  readonly serialize: MongodbStoreOptions["serialize"];
  readonly unserialize: MongodbStoreOptions["unserialize"];
  readonly transformId: MongodbStoreOptions["transformId"];
  readonly originalId: MongodbStoreOptions["originalId"];
  readonly autoRemove: "native" | "interval" | "disabled";
  readonly removeIntervalMs: number;
  readonly timestamps: boolean;
  readonly writeConcern: MongodbWriteConcern | undefined;
  readonly feed: MongodbFeedKind | "auto";
  readonly clock: Clock;
}

const known: Readonly<Record<keyof MongodbStoreOptions, true>> = {
  ...{ client: true, dbName: true, collectionName: true, collection: true, ttl: true, touchAfter: true },
  ...{ stringify: true, serialize: true, unserialize: true, transformId: true, originalId: true },
  ...{ autoRemove: true, autoRemoveInterval: true, timestamps: true, writeOperationOptions: true },
  ...{ feed: true, clock: true },
};

const makeClient =
  "Make a client with it, which stays yours to close: mongodbStore({ client: new MongoClient(url), dbName }).";
const encrypts =
  "Encrypted sessions can't be compared, and so not kept right. Leave it out, and let those stored expire.";

/** For options of connect-mongo's versions. */
const cures = {
  ...Object.fromEntries(
    ["mongoUrl", "mongoOptions", "url", "uri", "host", "port", "user", "password"].map((name) => [
      name,
      makeClient,
    ]),
  ),
  clientPromise: "Await it, and give the client: mongodbStore({ client: await clientPromise }).",
  dbPromise: "Give the client, and the name of the database: mongodbStore({ client, dbName }).",
  db: "Give the client, and the name of the database: mongodbStore({ client, dbName }).",
  mongooseConnection: "Write mongodbStore({ client: mongoose.connection.getClient() }).",
  crypto: encrypts,
  cryptoAdapter: encrypts,
  secret: encrypts,
  createAutoRemoveIdx: "Use `autoRemove`.",
};

/** Acknowledged by a majority and on disk, unless the application sets another write concern. */
const durable: MongodbWriteConcern = { w: "majority", journal: true };

/** Throws `INVALID_OPTION`. */
export function resolveMongodbOptions(options: MongodbStoreOptions): ResolvedMongodbOptions {
  const usage = "mongodbStore({ client: new MongoClient(url), dbName })";
  const check = checkStoreOptions("mongodbStore()", usage, options, known, cures, isHarmless);
  const {
    ttl = 1_209_600,
    touchAfter = 0,
    stringify = true,
    autoRemove = "native",
    autoRemoveInterval = 10,
    timestamps = false,
    feed = "auto",
    clock,
    serialize,
    unserialize,
    transformId,
    originalId,
  } = options;
  check.choice("autoRemove", autoRemove, ["native", "interval", "disabled"]);
  check.number("ttl", ttl, lifeTime);
  check.number("touchAfter", touchAfter, { unit: "seconds" });
  const isUsed = autoRemove !== "disabled";
  check.number("autoRemoveInterval", autoRemoveInterval, { unit: "minutes", ...(isUsed && { above: 0 }) });
  for (const [name, value] of Object.entries({ serialize, unserialize, transformId, originalId }))
    check.callback(name, value);
  for (const [name, value] of Object.entries({ stringify, timestamps })) check.flag(name, value);
  check.choice("feed", feed, ["auto", "change stream", "capped collection"]);
  const { database, collection } = placeOf(options, check);
  return {
    database,
    collection,
    ttlMs: ttl * 1000,
    touchAfter,
    stringify,
    serialize,
    unserialize,
    transformId,
    originalId,
    autoRemove,
    removeIntervalMs: autoRemoveInterval * 60_000,
    timestamps,
    writeConcern: writeConcernOf(options, collection, check),
    feed,
    clock: clockOf("mongodbStore()", clock),
  };
}

/** Values that connect-mongo treats as absent. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === "crypto") return isRecord(value) && value.secret === false;
  return value === null && (name === "cryptoAdapter" || name === "createAutoRemoveIdx");
}

/** Refuses writes without acknowledgement: a conditional write could not know whether it took effect. */
function writeConcernOf(
  { writeOperationOptions: own }: MongodbStoreOptions,
  { writeConcern: inherited }: MongodbCollection,
  check: OptionChecks,
): MongodbWriteConcern | undefined {
  const option = "writeOperationOptions";
  check.expect(own === undefined || isRecord(own), option, 'an object such as { w: "majority" }', shown(own));
  const isUnacknowledged = (own?.w ?? (isRecord(inherited) ? inherited.w : undefined)) === 0;
  const expected = "a write concern with which writes are acknowledged";
  const cure =
    "Give `writeOperationOptions: { w: 1 }`, or leave w: 0 out there, and of the client and the collection.";
  check.expect(!isUnacknowledged, option, expected, "w: 0, there or of the collection", cure);
  return own ?? (inherited ? undefined : durable);
}
