/**
 * The least work by which a database removes a session for good and notifies another process of that: the baseline for
 * closing a socket on another node. Each uses the client that the store is given, on connections of its own, for the life
 * of the process.
 */
import { randomUUID } from "node:crypto";
import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import { type Document, MongoClient } from "mongodb";
import { Client, Pool } from "pg";
import { createClient } from "redis";
import type { Place } from "./places.ts";

type Hear = (id: string) => void;

/** What stands for sessions there. */
export interface BareSessions {
  create(id: string): Promise<void>;
  /** Removes it as durably as the store ends a session, and publishes its id. */
  end(id: string): Promise<void>;
  /** Publishes a text alone. */
  publish(text: string): Promise<void>;
}

interface BareFeed {
  readonly title: string;
  /** Resolves when every id published from then on is received. */
  subscribe(place: Place, hear: Hear): Promise<void>;
  /** Once there is a subscriber. */
  open(place: Place): Promise<BareSessions>;
}

/** As long as that of a small session. */
const document = JSON.stringify({ cookie: { originalMaxAge: null, path: "/", httpOnly: true }, name: "ada" });

const pollIntervalMs = 25;

const sqlite: BareFeed = {
  title: "DELETE and INSERT, and data_version asked every 25 ms",
  async subscribe(place, hear) {
    const database = openFile(place);
    const version = database.prepare("PRAGMA data_version");
    const since = database.prepare("SELECT id, text FROM messages WHERE id > ? ORDER BY id");
    let last = 0;
    let seen: unknown;
    setInterval(() => {
      const { data_version: now } = version.get() ?? {};
      if (now === seen) return;
      seen = now;
      for (const { id, text } of since.all(last)) {
        last = Number(id);
        hear(String(text));
      }
    }, pollIntervalMs);
  },
  async open(place) {
    const database = openFile(place);
    const create = database.prepare("INSERT INTO sessions (id, document) VALUES (?, ?)");
    const remove = database.prepare("DELETE FROM sessions WHERE id = ?");
    const publish = database.prepare("INSERT INTO messages (text) VALUES (?)");
    return {
      async create(id) {
        create.run(id, document);
      },
      async end(id) {
        database.exec("BEGIN IMMEDIATE");
        remove.run(id);
        publish.run(id);
        database.exec("COMMIT");
      },
      async publish(text) {
        publish.run(text);
      },
    };
  },
};

/** As durable as a session file. */
function openFile({ address }: Place): DatabaseSync {
  const database = new DatabaseSync(`${address.url}.bare`);
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  database.exec("CREATE TABLE IF NOT EXISTS sessions (id TEXT PRIMARY KEY, document TEXT NOT NULL)");
  return database;
}

const keyOf = ({ address }: Place, id: string) => `${address.place}:bare:${id}`;
const channelOf = ({ address }: Place) => `bare_${address.place}`;

const nodeRedis: BareFeed = {
  title: "MULTI, DEL and PUBLISH to SUBSCRIBE",
  async subscribe(place, hear) {
    const client = await createClient({ url: place.address.url }).connect();
    await client.subscribe(channelOf(place), hear);
  },
  async open(place) {
    const client = await createClient({ url: place.address.url }).connect();
    return {
      async create(id) {
        await client.set(keyOf(place, id), document);
      },
      async end(id) {
        await client.multi().del(keyOf(place, id)).publish(channelOf(place), id).exec();
      },
      async publish(text) {
        await client.publish(channelOf(place), text);
      },
    };
  },
};

const ioredis: BareFeed = {
  title: nodeRedis.title,
  async subscribe(place, hear) {
    const client = new Redis(place.address.url);
    client.on("message", (_channel, text) => hear(text));
    await client.subscribe(channelOf(place));
  },
  async open(place) {
    const client = new Redis(place.address.url);
    return {
      async create(id) {
        await client.set(keyOf(place, id), document);
      },
      async end(id) {
        await client.multi().del(keyOf(place, id)).publish(channelOf(place), id).exec();
      },
      async publish(text) {
        await client.publish(channelOf(place), text);
      },
    };
  },
};

const postgres: BareFeed = {
  title: "DELETE and NOTIFY to LISTEN",
  async subscribe(place, hear) {
    const client = new Client({ connectionString: place.address.url });
    client.on("notification", ({ payload = "" }) => hear(payload));
    await client.connect();
    await client.query(`LISTEN ${channelOf(place)}`);
  },
  async open(place) {
    const client = new Pool({ connectionString: place.address.url });
    const table = place.address.place; // the store's own
    const create = `INSERT INTO ${table} (sid, sess, expire) VALUES ($1, $2, now() + interval '1 day')`;
    const removed = `DELETE FROM ${table} WHERE sid = $1 RETURNING sid`;
    return {
      async create(id) {
        await client.query(create, [id, document]);
      },
      async end(id) {
        const values = [id, channelOf(place)];
        await client.query(`WITH removed AS (${removed}) SELECT pg_notify($2, sid) FROM removed`, values);
      },
      async publish(text) {
        await client.query("SELECT pg_notify($1, $2)", [channelOf(place), text]);
      },
    };
  },
};

const changeStream: BareFeed = {
  title: "delete to change stream",
  async subscribe(place, hear) {
    const stream = (await databaseAt(place)).collection<StoredId>("bare").watch();
    const opened = await stream.tryNext();
    if (opened) throw new Error("Expected nothing to have been inserted.");
    void (async () => {
      for await (const event of stream) {
        if (event.operationType === "delete") hear(event.documentKey._id);
        if (event.operationType === "insert" && event.fullDocument.text)
          hear(String(event.fullDocument.text));
      }
    })();
  },
  async open(place) {
    const sessions = (await databaseAt(place)).collection<StoredId>("bare");
    return {
      async create(id) {
        await sessions.insertOne({ _id: id, session: document });
      },
      async end(id) {
        await sessions.deleteOne({ _id: id });
      },
      async publish(text) {
        await sessions.insertOne({ _id: randomUUID(), text });
      },
    };
  },
};

const namespaceExists = 48;

const tailableCursor: BareFeed = {
  title: "delete and insert to tailable cursor",
  async subscribe(place, hear) {
    const client = await new MongoClient(place.address.url).connect();
    const options = { capped: true, size: 1_000_000 };
    const database = client.db(place.address.place);
    // the other side may have created it
    await database.createCollection("messages", options).catch((error: { code?: unknown }) => {
      if (error.code !== namespaceExists) throw error;
    });
    const messages = database.collection<Document>("messages");
    // FerretDB ends a cursor whose results fit into one answer.
    await messages.insertMany([{ text: "" }, { text: "" }]);
    const subscribed = Promise.withResolvers<void>();
    void (async () => {
      for (;;) {
        const options = { tailable: true, awaitData: true, batchSize: 1, maxAwaitTimeMS: 1000 };
        const cursor = messages.find({}, options);
        try {
          for await (const { text } of cursor) {
            hear(String(text));
            subscribed.resolve();
          }
        } catch (error) {
          // Under load FerretDB interrupts its own query; then everything is received again, which does no harm.
          if (!String(error).includes("interrupted")) throw error;
        }
      }
    })();
    await subscribed.promise;
  },
  async open(place) {
    const database = await databaseAt(place);
    const sessions = database.collection<StoredId>("bare");
    return {
      async create(id) {
        await sessions.insertOne({ _id: id, session: document });
      },
      async end(id) {
        await sessions.deleteOne({ _id: id });
        await database.collection<Document>("messages").insertOne({ text: id });
      },
      async publish(text) {
        await database.collection<Document>("messages").insertOne({ text });
      },
    };
  },
};

interface StoredId extends Document {
  _id: string;
}

async function databaseAt({ address }: Place) {
  return (await new MongoClient(address.url).connect()).db(address.place);
}

export function bareFeedOf({ client, isReplicaSet }: Omit<Place, "address">): BareFeed {
  switch (client) {
    case "node:sqlite":
      return sqlite;
    case "redis":
      return nodeRedis;
    case "ioredis":
      return ioredis;
    case "pg":
      return postgres;
    case "mongodb":
      return isReplicaSet ? changeStream : tailableCursor;
  }
}
