/** The options of `mongodbStore`: those of `connect-mongo` by their names and defaults, and what is added here. */
import type { Clock } from "../clock.ts";
import { systemClock } from "../clock.ts";
import type { SessionDocument } from "../core/session-store.ts";
import { SocketSessionError } from "../errors.ts";
import { isRecord } from "./document-text.ts";
import type {
  MongodbClient,
  MongodbCollection,
  MongodbDatabase,
  MongodbWriteConcern,
} from "./mongodb-client.ts";
import type { MongodbFeedKind } from "./mongodb-feed.ts";

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

export interface MongodbSettings {
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

const injectInstead = "Give `client: new MongoClient(url)`, which stays yours to close.";
const encrypts =
  "Encrypted sessions can't be compared, and so not kept right. Leave it out, and let those stored expire.";
const curesByUnsupported: Record<string, string> = {
  mongoUrl: injectInstead,
  mongoOptions: injectInstead,
  clientPromise: "Await it, and give the client.",
  crypto: encrypts,
  cryptoAdapter: encrypts,
  createAutoRemoveIdx: "Use autoRemove.",
};

/** Acknowledged by a majority and on disk, unless the application has its own idea of that. */
const durable: MongodbWriteConcern = { w: "majority", journal: true };

/** Throws `INVALID_OPTION`. */
export function mongodbSettings(options: MongodbStoreOptions): MongodbSettings {
  refuseUnsupported(options);
  const {
    ttl = 1_209_600,
    touchAfter = 0,
    stringify = true,
    autoRemove = "native",
    autoRemoveInterval = 10,
    timestamps = false,
    feed = "auto",
    clock = systemClock,
    serialize,
    unserialize,
    transformId,
    originalId,
  } = options;
  expectNumbers({ ttl, touchAfter, autoRemoveInterval });
  expectOneOf("autoRemove", autoRemove, ["native", "interval", "disabled"]);
  expectOneOf("feed", feed, ["auto", "change stream", "capped collection"]);
  const { database, collection } = placeOf(options);
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
    writeConcern: options.writeOperationOptions ?? (collection.writeConcern ? undefined : durable),
    feed,
    clock,
  };
}

const known = new Set([
  ...["client", "dbName", "collectionName", "collection", "ttl", "touchAfter", "stringify", "serialize"],
  ...["unserialize", "transformId", "originalId", "autoRemove", "autoRemoveInterval", "timestamps"],
  ...["writeOperationOptions", "feed", "clock"],
]);

function refuseUnsupported(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    if (known.has(name) || value === undefined) continue;
    throw invalid(
      `Expected options that mongodbStore knows, but found ${name}. ${curesByUnsupported[name] ?? "Leave it out."}`,
    );
  }
}

function expectNumbers(values: Record<string, number>): void {
  for (const [name, value] of Object.entries(values)) {
    if (Number.isFinite(value) && value >= 0) continue;
    throw invalid(
      `Expected mongodbStore's ${name} to be a number of ${name === "autoRemoveInterval" ? "minutes" : "seconds"}, ` +
        `but it is ${value}. Leave it out for the default.`,
    );
  }
}

function expectOneOf(name: string, value: string, choices: string[]): void {
  if (choices.includes(value)) return;
  throw invalid(
    `Expected mongodbStore's ${name} to be one of ${choices.map((choice) => `"${choice}"`).join(", ")}, ` +
      `but it is ${JSON.stringify(value)}. Leave it out for the default.`,
  );
}

function placeOf(options: MongodbStoreOptions): { database: MongodbDatabase; collection: MongodbCollection } {
  const { client, dbName, collectionName = "sessions", collection } = options;
  if (collection) return { collection, database: databaseOf(collection) };
  if (!isClient(client)) {
    throw invalid(
      "Expected mongodbStore's client to be a MongoClient of the driver mongodb, or a collection to be given, " +
        "but found neither. Give `client: new MongoClient(url)`.",
    );
  }
  const database = client.db(dbName);
  return { database, collection: database.collection(collectionName) };
}

/** Newer drivers tell a collection's database, older ones its client. */
function databaseOf(collection: MongodbCollection): MongodbDatabase {
  const database: unknown = Reflect.get(collection, "db");
  if (isDatabase(database)) return database;
  const client: unknown = Reflect.get(collection, "client");
  if (isClient(client)) return client.db(collection.dbName);
  throw invalid(
    "Expected mongodbStore's collection to be a Collection of the driver mongodb, version 6 or later, " +
      "but it tells no database. Give client and dbName instead.",
  );
}

function isClient(value: unknown): value is MongodbClient {
  return isRecord(value) && typeof value.db === "function";
}

function isDatabase(value: unknown): value is MongodbDatabase {
  return isRecord(value) && typeof value.command === "function" && typeof value.collection === "function";
}

function invalid(message: string): SocketSessionError {
  return new SocketSessionError("INVALID_OPTION", message);
}
