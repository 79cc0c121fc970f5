/**
 * The least work by which a database notifies one process of another: the baseline for closing a socket on another
 * node. Each feed uses the client that the store is given, on connections of its own, for the life of the process.
 */
import { DatabaseSync } from "node:sqlite";
import { Redis } from "ioredis";
import { type Document, MongoClient } from "mongodb";
import { Client } from "pg";
import { createClient } from "redis";
import type { Place } from "./places.ts";

export type Publish = (text: string) => Promise<void>;
type Hear = (text: string) => void;

interface BareFeed {
  readonly title: string;
  /** Resolves when everything published from then on is received. */
  subscribe(place: Place, hear: Hear): Promise<void>;
  /** Publishes once there is a subscriber. */
  openPublisher(place: Place): Promise<Publish>;
}

const pollIntervalMs = 25;

const sqlite: BareFeed = {
  title: "INSERT, and data_version asked every 25 ms",
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
  async openPublisher(place) {
    const insert = openFile(place).prepare("INSERT INTO messages (text) VALUES (?)");
    return async (text) => {
      insert.run(text);
    };
  },
};

/** As durable as a session file. */
function openFile({ address }: Place): DatabaseSync {
  const database = new DatabaseSync(`${address.url}.bare`);
  database.exec("PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
  database.exec("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  return database;
}

const channelOf = ({ address }: Place) => `bare_${address.place}`;

const nodeRedis: BareFeed = {
  title: "PUBLISH to SUBSCRIBE",
  async subscribe(place, hear) {
    const client = await createClient({ url: place.address.url }).connect();
    await client.subscribe(channelOf(place), hear);
  },
  async openPublisher(place) {
    const client = await createClient({ url: place.address.url }).connect();
    return async (text) => {
      await client.publish(channelOf(place), text);
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
  async openPublisher(place) {
    const client = new Redis(place.address.url);
    return async (text) => {
      await client.publish(channelOf(place), text);
    };
  },
};

const postgres: BareFeed = {
  title: "NOTIFY to LISTEN",
  async subscribe(place, hear) {
    const client = new Client({ connectionString: place.address.url });
    client.on("notification", ({ payload = "" }) => hear(payload));
    await client.connect();
    await client.query(`LISTEN ${channelOf(place)}`);
  },
  async openPublisher(place) {
    const client = new Client({ connectionString: place.address.url });
    await client.connect();
    return async (text) => {
      await client.query("SELECT pg_notify($1, $2)", [channelOf(place), text]);
    };
  },
};

const changeStream: BareFeed = {
  title: "insert to change stream",
  async subscribe(place, hear) {
    const stream = (await messagesAt(place)).watch();
    const opened = await stream.tryNext();
    if (opened) throw new Error("Expected nothing to have been inserted.");
    void (async () => {
      for await (const event of stream)
        if (event.operationType === "insert") hear(String(event.fullDocument.text));
    })();
  },
  openPublisher: inserting,
};

const tailableCursor: BareFeed = {
  title: "insert to tailable cursor",
  async subscribe(place, hear) {
    const client = await new MongoClient(place.address.url).connect();
    const options = { capped: true, size: 1_000_000 };
    const messages = await client.db(place.address.place).createCollection("messages", options);
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
  openPublisher: inserting,
};

async function messagesAt({ address }: Place) {
  const client = await new MongoClient(address.url).connect();
  return client.db(address.place).collection<Document>("messages");
}

async function inserting(place: Place): Promise<Publish> {
  const messages = await messagesAt(place);
  return async (text) => {
    await messages.insertOne({ text });
  };
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
