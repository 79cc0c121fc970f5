/**
 * Finds the database and the collection of `mongodbStore` from its options. Older drivers are refused: their cursors lack
 * methods that the feed needs, and their commands return other shapes.
 */
import { isDeepStrictEqual } from "node:util";
import { refusal } from "../../base/arguments.ts";
import { hasMethods, hasProperty, property } from "../../base/shapes.ts";
import { shown } from "../../base/shown.ts";
import type { OptionChecks } from "../common/options.ts";
import { recognised } from "../common/recognised.ts";
import type { MongodbClient, MongodbCollection, MongodbDatabase } from "./client.ts";

interface Place {
  readonly database: MongodbDatabase;
  readonly collection: MongodbCollection;
}

interface PlaceOptions {
  readonly client?: MongodbClient;
  readonly dbName?: string;
  readonly collectionName?: string;
  readonly collection?: MongodbCollection;
}

const oldestDriver = 6;

/** Reads values as JavaScript's own, whatever the client's settings, since the store compares values and computes. */
export const plainValues = {
  ...{ raw: false, promoteValues: true, promoteLongs: true, promoteBuffers: false },
  ...{ useBigInt64: false, bsonRegExp: false, fieldsAsRaw: {} },
};

export function placeOf(options: PlaceOptions, check: OptionChecks): Place {
  const { client, dbName, collectionName = "sessions", collection } = options;
  if (collection !== undefined) return placeOfCollection(collection);
  for (const [option, name] of Object.entries({ dbName, collectionName })) {
    const isName = name === undefined || (typeof name === "string" && name !== "");
    check.expect(isName, option, "a name", shown(name));
  }
  const database = checkedClient(client).db(dbName);
  return { database, collection: plainCollection(database, collectionName) };
}

function plainCollection(database: MongodbDatabase, name: string): MongodbCollection {
  return database.collection(name, plainValues);
}

const expectedClient = `\`client\` of mongodbStore() expects a MongoClient of the driver mongodb, ${oldestDriver} or later`;
const expectedCollection = `\`collection\` of mongodbStore() expects a collection of the driver mongodb, ${oldestDriver} or later`;

const update =
  `Update \`mongodb\` to ${oldestDriver} or later (Mongoose to 8 or later); or keep the express-session store that you ` +
  "have: liveSessions({ store: yourStore }).";

function checkedClient(client: unknown): MongodbClient {
  if (isClient(client)) {
    refuseOld(expectedClient, client);
    return client;
  }
  const found = recognised(client);
  if (found) throw refusal(expectedClient, found.what, found.cure);
  if (isOfClass(client, "MongoClient")) throw refusal(expectedClient, "one of mongodb 2 or older", update);
  const cure =
    "Give `client: new MongoClient(url)`. With Mongoose, give `mongoose.connection.getClient()` once `await mongoose.connect(url)` is done.";
  throw refusal(expectedClient, shown(client), cure);
}

/** Uses the collection itself if it reads plain values. Newer drivers expose its database, older ones its client. */
function placeOfCollection(collection: MongodbCollection): Place {
  if (hasProperty(collection, "conn")) {
    const cure = "Write mongodbStore({ client: mongoose.connection.getClient(), collectionName }).";
    throw refusal(expectedCollection, "one of Mongoose", cure);
  }
  const client: unknown = property(collection, "client");
  if (client !== undefined) refuseOld(expectedCollection, client);
  const given: unknown = property(collection, "db");
  const database = isDatabase(given) ? given : isClient(client) ? client.db(collection.dbName) : undefined;
  if (!database) {
    const came = `${shown(collection)} that exposes neither its database nor its client`;
    throw refusal(
      expectedCollection,
      came,
      "Give `client` and `dbName` instead, of a driver that is new enough.",
    );
  }
  if (readsPlainValues(collection)) return { database, collection };
  const { collectionName, writeConcern, readConcern } = collection;
  const concerns = { ...(writeConcern && { writeConcern }), ...(readConcern && { readConcern }) };
  return { database, collection: database.collection(collectionName, { ...plainValues, ...concerns }) };
}

function readsPlainValues(collection: MongodbCollection): boolean {
  const own: unknown = property(collection, "bsonOptions");
  return Object.entries(plainValues).every(([name, value]) =>
    isDeepStrictEqual(property(own, name) ?? value, value),
  );
}

/** Throws for a client of a driver that is too old, and names its version if the client has it, as from 4 to 6. */
function refuseOld(expected: string, client: unknown): void {
  const driver = property(property(property(client, "options"), "metadata"), "driver");
  const said = Number.parseInt(String(property(driver, "version")), 10);
  const isThree = hasMethods(client, "isConnected");
  if (!isThree && !(said < oldestDriver)) return;
  const came = `one of mongodb ${isThree ? "3 or older" : said}`;
  throw refusal(expected, came, update);
}

function isOfClass(value: unknown, name: string): boolean {
  const made = property(value, "constructor");
  return typeof made === "function" && made.name === name;
}

function isClient(value: unknown): value is MongodbClient {
  return hasMethods(value, "db");
}

function isDatabase(value: unknown): value is MongodbDatabase {
  return hasMethods(value, "command", "collection");
}
