/** The options of `mongodbStore`: those of `connect-mongo` by their names and defaults, and what is added here. */
import { type Clock, isClock, systemClock } from "../clock.ts";
import { longestLifeMs } from "../core/life-time.ts";
import type { SessionDocument } from "../core/session-store.ts";
import { SocketSessionError } from "../errors.ts";
import { shown, shownChoice, shownOption } from "../shown.ts";
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
const curesByUnsupported = new Map([
  ["mongoUrl", injectInstead],
  ["mongoOptions", injectInstead],
  ["clientPromise", "Await it, and give the client."],
  ["crypto", encrypts],
  ["cryptoAdapter", encrypts],
  ["createAutoRemoveIdx", "Use autoRemove."],
]);

/** Acknowledged by a majority and on disk, unless the application has its own idea of that. */
const durable: MongodbWriteConcern = { w: "majority", journal: true };

/** Throws `INVALID_OPTION`. */
export function mongodbSettings(options: MongodbStoreOptions): MongodbSettings {
  const given: unknown = options;
  if (!isRecord(given)) throw noClient();
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
  expectOneOf("autoRemove", autoRemove, ["native", "interval", "disabled"]);
  expectNumber("ttl", ttl, "seconds", "greater than 0");
  expectNumber("touchAfter", touchAfter, "seconds", "of 0 or more");
  expectNumber(
    "autoRemoveInterval",
    autoRemoveInterval,
    "minutes",
    autoRemove === "disabled" ? "of 0 or more" : "greater than 0",
  );
  expectTypes("function", "a function", { serialize, unserialize, transformId, originalId });
  expectTypes("boolean", "true or false", { stringify, timestamps });
  if (!isClock(clock)) throw invalid(expected("clock", "a clock with `now()` and `after()`", clock));
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
    writeConcern: writeConcernOf(options, collection),
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
    if (known.has(name) || value === undefined || isHarmless(name, value)) continue;
    throw invalid(
      `Expected options that mongodbStore knows, but found the ${shownOption(name)}. ${curesByUnsupported.get(name) ?? "Leave it out."}`,
    );
  }
}

/** What connect-mongo takes for not given. */
function isHarmless(name: string, value: unknown): boolean {
  if (name === "crypto") return isRecord(value) && value.secret === false;
  return value === null && (name === "cryptoAdapter" || name === "createAutoRemoveIdx");
}

function expectNumber(name: string, value: number, unit: string, range: "greater than 0" | "of 0 or more") {
  const isInRange = range === "greater than 0" ? value > 0 : value >= 0;
  if (isInRange && typeof value === "number" && value * 1000 <= longestLifeMs) return;
  const described = `a number of ${unit} ${range}, ${longestLifeMs / 1000} at most`;
  throw invalid(expected(name, described, value, shownChoice));
}

function expectTypes(type: "function" | "boolean", described: string, values: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && typeof value !== type) throw invalid(expected(name, described, value));
  }
}

/** What is not acknowledged has neither failed nor been done: no write could say whether it was the first. */
function writeConcernOf(
  { writeOperationOptions: own }: MongodbStoreOptions,
  { writeConcern: inherited }: MongodbCollection,
): MongodbWriteConcern | undefined {
  if (own !== undefined && !isRecord(own)) {
    throw invalid(expected("writeOperationOptions", 'an object such as { w: "majority" }', own));
  }
  if ((own?.w ?? (isRecord(inherited) ? inherited.w : undefined)) === 0) {
    throw invalid(
      "Expected writes of mongodbStore to be acknowledged, but the write concern of the collection or of " +
        "writeOperationOptions is w: 0. Give `writeOperationOptions: { w: 1 }`, or leave both out.",
    );
  }
  return own ?? (inherited ? undefined : durable);
}

function expectOneOf(name: string, value: string, choices: string[]): void {
  if (choices.includes(value)) return;
  const listed = choices.map((choice) => `"${choice}"`).join(", ");
  throw invalid(expected(name, `one of ${listed}`, value, shownChoice));
}

function placeOf(options: MongodbStoreOptions): { database: MongodbDatabase; collection: MongodbCollection } {
  const { client, dbName, collectionName = "sessions", collection } = options;
  if (collection) return { collection, database: databaseOf(collection) };
  if (!isClient(client)) throw noClient();
  for (const [option, name] of Object.entries({ dbName, collectionName })) {
    if (name !== undefined && (typeof name !== "string" || name === ""))
      throw invalid(expected(option, "a name", name));
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

function expected(option: string, what: string, came: unknown, show = shown): string {
  return `Expected mongodbStore's ${option} to be ${what}, but it is ${show(came)}. Leave it out for the default.`;
}

function noClient(): SocketSessionError {
  return invalid(
    "Expected mongodbStore's client to be a MongoClient of the driver mongodb, or a collection to be given, " +
      "but found neither. Give `client: new MongoClient(url)`.",
  );
}

function invalid(message: string): SocketSessionError {
  return new SocketSessionError("INVALID_OPTION", message);
}
