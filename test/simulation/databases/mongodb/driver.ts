/** The part of the driver `mongodb` that `mongodbStore` uses: a client, its database, and their collections. */
import type {
  MongodbClient,
  MongodbCollection,
  MongodbCursor,
  MongodbDatabase,
  MongodbDocument,
  MongodbIndexOptions,
  MongodbWriteOptions,
} from "../../../../src/stores/mongodb/client.ts";
import { Unsupported } from "../../world/unsupported.ts";
import { SimulatedChangeStream, SimulatedTail } from "./cursors.ts";
import { matches, valueAt } from "./filters.ts";
import type { MongodbServer } from "./server.ts";
import type { MongodbTopology } from "./topology.ts";

type FindOptions = Parameters<MongodbCollection["find"]>[1];

const sessions = "sessions";
const messages = "sessions_changes";
const tickets = "sessions_tickets";

export function simulatedClient(server: MongodbServer, topology: MongodbTopology): MongodbClient {
  const database = new SimulatedDatabase(server, topology);
  return { db: () => database };
}

class SimulatedDatabase implements MongodbDatabase {
  readonly #server: MongodbServer;
  readonly #topology: MongodbTopology;

  constructor(server: MongodbServer, topology: MongodbTopology) {
    this.#server = server;
    this.#topology = topology;
  }

  collection(name: string): MongodbCollection {
    if (name === tickets) return new SimulatedTickets(this.#server, this.#topology);
    if (name !== sessions && name !== messages) throw new Unsupported(`the collection ${name}`);
    return new SimulatedCollection(this.#server, this.#topology, name);
  }

  command(command: MongodbDocument): Promise<MongodbDocument> {
    return this.#topology.read(() => {
      if (command.hello === 1) return this.#server.isReplicaSet ? { setName: "rs0" } : {};
      if (command.listCollections !== 1) throw new Unsupported(`the command ${JSON.stringify(command)}`);
      return { cursor: { firstBatch: this.#server.messages ? [{ options: { capped: true } }] : [] } };
    });
  }

  createCollection(name: string): Promise<void> {
    return this.#topology.once(() => {
      if (name !== messages) throw new Unsupported(`a capped collection ${name}`);
      this.#server.createMessages();
    });
  }
}

/** The collection of the sessions, or of their messages: those are inserted, and followed by a cursor. */
class SimulatedCollection implements MongodbCollection {
  readonly dbName = "test";
  readonly collectionName: string;
  readonly #server: MongodbServer;
  readonly #topology: MongodbTopology;

  constructor(server: MongodbServer, topology: MongodbTopology, name: string) {
    this.collectionName = name;
    this.#server = server;
    this.#topology = topology;
  }

  find(filter: MongodbDocument, options: FindOptions): MongodbCursor {
    const { tailable = false, maxAwaitTimeMS: waitMs = 0 } = options;
    if (tailable) return new SimulatedTail({ server: this.#server, topology: this.#topology, waitMs });
    return new SimulatedResult(() =>
      this.#topology.read(() => {
        const ids = valueAt(filter, "_id.$in");
        const many = Array.isArray(ids) ? ids.length : undefined;
        return this.#sessions.find(filter, this.#topology.name, many);
      }),
    );
  }

  findOne(filter: MongodbDocument): Promise<MongodbDocument | null> {
    return this.#topology.read(() => this.#sessions.find(filter, this.#topology.name, 1)[0] ?? null);
  }

  countDocuments(filter: MongodbDocument): Promise<number> {
    return this.#topology.read(() => this.#sessions.count(filter));
  }

  insertOne(document: MongodbDocument, options?: MongodbWriteOptions): Promise<void> {
    return this.#topology.write(() => {
      if (this.collectionName === messages)
        return this.#server.insertMessage(document, options?.writeConcern?.journal === true);
      expectDurable(options);
      this.#sessions.insertOne(document);
    });
  }

  updateOne(
    filter: MongodbDocument,
    update: MongodbDocument,
    options: MongodbWriteOptions,
  ): Promise<{ matchedCount: number }> {
    return this.#topology.write(() => {
      expectDurable(options);
      return { matchedCount: this.#sessions.updateOne(filter, update, this.#topology.name) };
    });
  }

  replaceOne(
    filter: MongodbDocument,
    replacement: MongodbDocument,
    options: MongodbWriteOptions & { upsert: boolean },
  ): Promise<void> {
    return this.#topology.write(() => {
      expectDurable(options);
      if (!options.upsert) throw new Unsupported("a replacement of what is there alone");
      this.#sessions.upsert(filter, replacement);
    });
  }

  deleteOne(filter: MongodbDocument, options: MongodbWriteOptions): Promise<{ deletedCount: number }> {
    return this.#topology.write(() => {
      expectDurable(options);
      return { deletedCount: this.#sessions.delete(filter, 1) };
    });
  }

  deleteMany(filter: MongodbDocument, options?: MongodbWriteOptions): Promise<number> {
    return this.#topology.once(() => {
      expectDurable(options);
      return this.#sessions.delete(filter);
    });
  }

  async findOneAndDelete(
    _filter: MongodbDocument,
    _options: MongodbWriteOptions,
  ): Promise<MongodbDocument | null> {
    throw new Unsupported(`findOneAndDelete on the collection ${this.collectionName}`);
  }

  /** The index on users makes nothing different. */
  createIndex(keys: Record<string, 1>, { expireAfterSeconds }: MongodbIndexOptions): Promise<void> {
    return this.#topology.once(() => {
      if ("expires" in keys && expireAfterSeconds === 0) this.#sessions.indexExpiry();
    });
  }

  watch(pipeline: MongodbDocument[], { maxAwaitTimeMS: waitMs }: { maxAwaitTimeMS: number }) {
    return new SimulatedChangeStream({ server: this.#sessions, topology: this.#topology, waitMs }, pipeline);
  }

  /** The server, as that of the sessions. */
  get #sessions(): MongodbServer {
    if (this.collectionName === sessions) return this.#server;
    throw new Unsupported(`this command on the collection ${this.collectionName}`);
  }
}

/** The collection of the tickets. Those that have expired are left there. */
class SimulatedTickets extends SimulatedCollection {
  readonly #server: MongodbServer;
  readonly #topology: MongodbTopology;

  constructor(server: MongodbServer, topology: MongodbTopology) {
    super(server, topology, tickets);
    this.#server = server;
    this.#topology = topology;
  }

  override insertOne(ticket: MongodbDocument, options?: MongodbWriteOptions): Promise<void> {
    return this.#topology.write(() => {
      expectDurable(options);
      this.#server.ticketsById.set(ticket._id, ticket);
    });
  }

  override findOneAndDelete(
    filter: MongodbDocument,
    options: MongodbWriteOptions,
  ): Promise<MongodbDocument | null> {
    return this.#topology.write(() => {
      expectDurable(options);
      const found = this.#server.ticketsById.get(filter._id);
      if (!found || !matches(found, filter)) return null;
      this.#server.ticketsById.delete(filter._id);
      return found;
    });
  }

  override createIndex(): Promise<void> {
    return this.#topology.once(() => {});
  }
}

/** The result of a query, in one answer. */
class SimulatedResult implements MongodbCursor {
  readonly closed = false;
  readonly toArray: () => Promise<MongodbDocument[]>;

  constructor(ask: () => Promise<MongodbDocument[]>) {
    this.toArray = ask;
  }

  tryNext(): Promise<never> {
    throw new Unsupported("tryNext() of a query");
  }

  async close(): Promise<void> {}
}

/** A failover loses nothing of what the store writes: it has to ask for that. */
function expectDurable({ writeConcern }: MongodbWriteOptions = {}): void {
  if (writeConcern?.w === "majority" && writeConcern.journal === true) return;
  throw new Unsupported(`the write concern ${JSON.stringify(writeConcern)} of sessions`);
}
