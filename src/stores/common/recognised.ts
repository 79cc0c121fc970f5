/**
 * Recognises by its shape what an application passes by mistake as a store, its options or its client, so that the error
 * can say what to write instead. Redis clients have `get` and `set`, and newer ones `destroy`, which closes them: they
 * would pass for a store of `express-session`. So would a Mongoose connection.
 */
import { hasMethods, hasProperty } from "../../base/shapes.ts";

export interface Recognised {
  /** Its name in messages. */
  readonly what: string;
  readonly cure: string;
}

interface Kind extends Recognised {
  readonly is: (value: unknown) => boolean;
}

export const redisClient = "a Redis client";

const useMongoose =
  "With Mongoose 8 or later write mongodbStore({ client: mongoose.connection.getClient() }), once it is connected; with an older one keep the express-session store that you have.";

const kinds: readonly Kind[] = [
  {
    what: "a promise",
    cure: "Await it, and give what it resolves to.",
    is: (value) => hasMethods(value, "then"),
  },
  {
    what: redisClient,
    cure: "Write redisStore({ client }).",
    is: (value) =>
      hasMethods(value, "get", "set") &&
      (hasMethods(value, "sendCommand") || hasMethods(value, "send_command")),
  },
  {
    what: "a Pool of pg",
    cure: "Write postgresStore({ pool }).",
    is: (value) => hasMethods(value, "connect", "query") && hasProperty(value, "Client"),
  },
  {
    what: "a Client of pg",
    cure: "A store needs a Pool: write postgresStore({ pool: new Pool(…) }).",
    is: (value) => hasMethods(value, "connect", "query") && hasProperty(value, "connectionParameters"),
  },
  {
    what: "a database of pg-promise",
    cure: "Write postgresStore({ pool: db.$pool }).",
    is: (value) => hasProperty(value, "$pool"),
  },
  {
    what: "a MongoClient",
    cure: "Write mongodbStore({ client, dbName }).",
    is: (value) => hasMethods(value, "db", "connect", "close"),
  },
  { what: "Mongoose itself", cure: useMongoose, is: (value) => hasMethods(value, "model", "connect") },
  {
    what: "a connection of Mongoose",
    cure: useMongoose,
    is: (value) => hasMethods(value, "model", "getClient"),
  },
  {
    what: "a database of the driver mongodb",
    cure: "Write mongodbStore({ client, dbName }).",
    is: (value) => hasMethods(value, "command", "collection", "createCollection"),
  },
  {
    what: "a collection of the driver mongodb",
    cure: "Write mongodbStore({ collection }).",
    is: (value) => hasMethods(value, "findOne", "insertOne"),
  },
  {
    what: "a database of SQLite",
    cure: 'Write sqliteStore({ path: "sessions.db" }), with a file of its own.',
    is: (value) => hasMethods(value, "prepare", "exec"),
  },
];

export function recognised(value: unknown): Recognised | undefined {
  return kinds.find(({ is }) => is(value));
}
