/**
 * Clients of releases that the stores don't take, by what tells them from newer ones, as seen on `redis` 2.8, 3.1 and 4.7,
 * `ioredis` 4.30, `pg` 7.18, and `mongodb` 3.7, 4.17 and 5.9, which Mongoose 5, 6 and 7 bring along.
 */
const noop = () => {};

function named(name: string, members: object): object {
  const made = { [name]: class {} }[name];
  return Object.assign(made ? new made() : {}, members);
}

const commands = { get: noop, set: noop, on: noop, duplicate: noop };
const ofIoRedis = { ...commands, call: noop, psubscribe: noop, sendCommand: noop, status: "wait" };
const addedScripts = { _addedScriptHashes: {} };
const options = { Client: class Client {}, max: 10 };

/** `version` as the driver says it, with what Mongoose adds to it. */
const mongoClient = (version: string) =>
  named("MongoClient", {
    ...{ db: () => ({ collection: noop }), connect: noop, close: noop },
    options: { metadata: { driver: { name: "nodejs", version } } },
  });

export const oldClients = {
  redis3: named("RedisClient", { ...commands, send_command: noop, internal_send_command: noop }),
  redis4: named("Commander", { ...commands, sendCommand: noop, pSubscribe: noop, isOpen: true }),
  ioredis4: named("Redis", { ...ofIoRedis, ...addedScripts }),
  ioredis4Cluster: named("Cluster", { ...ofIoRedis, ...addedScripts, isCluster: true, nodes: noop }),
  pg7: named("Pool", { connect: noop, query: noop, Client: options.Client, options, totalCount: 0 }),
  mongodb2: named("MongoClient", { connect: noop }),
  mongodb3: named("MongoClient", { db: noop, connect: noop, close: noop, isConnected: noop, s: {} }),
  mongodb4: mongoClient("4.17.2|6.13.11"),
  mongodb5: mongoClient("5.9.2"),
  collection4: named("Collection", { dbName: "app", collectionName: "sessions", findOne: noop }),
  collection5: named("Collection", {
    ...{ dbName: "app", collectionName: "sessions", findOne: noop },
    client: mongoClient("5.9.2"),
  }),
};

const connection = named("NativeConnection", {
  ...{ get: noop, set: noop, destroy: noop, close: noop, on: noop, collection: noop },
  ...{ model: noop, getClient: () => undefined, db: undefined, readyState: 0 },
});

/** `destroy` closes the connection, for 6 and later. */
export const mongoose = named("Mongoose", { get: noop, set: noop, connect: noop, model: noop, connection });
export const mongooseConnection = connection;
export const mongooseCollection = named("NativeCollection", { collectionName: "sessions", conn: connection });
