import { createAdapter as clusterAdapter } from "@socket.io/cluster-adapter";
import { createAdapter as mongoAdapter } from "@socket.io/mongo-adapter";
import { createAdapter as postgresAdapter } from "@socket.io/postgres-adapter";
import { createAdapter as redisAdapter } from "@socket.io/redis-adapter";
import { createAdapter as redisStreamsAdapter } from "@socket.io/redis-streams-adapter";
import { DisconnectsClientError } from "redis";
import type { ServerOptions } from "socket.io";
import type { AdapterChoice } from "./adapter-choice.ts";
import { connectMongodb, connectPostgres, connectRedis } from "./connect.ts";
import { type DatabaseUrl, reasonOf } from "./database-url.ts";

export interface OpenAdapter {
  /** Undefined for none: then the chat's messages stay on their node. */
  readonly adapter: ServerOptions["adapter"] | undefined;
  readonly note: string;
  /** Closes the clients that were made for it: after the Socket.IO server, which closes the adapter. */
  close(): Promise<void>;
}

const none: OpenAdapter = {
  adapter: undefined,
  note: "Socket.IO adapter: none, so messages stay on their node",
  close: async () => {},
};

/** Opens an adapter on connections of its own. Rejects in words where its database can't be reached, or can't serve it. */
export async function openAdapter(choice: AdapterChoice, isInCluster: boolean): Promise<OpenAdapter> {
  const note = `Socket.IO adapter: ${choice.name}`;
  switch (choice.name) {
    case "none":
      return none;
    case "cluster":
      return { adapter: clusterAdapter(), note, close: async () => {} };
    case "redis-streams": {
      const { client, close } = await connectRedisFor(choice.address);
      // The default of 5 s is how long a read under way would hold up the end of the process.
      return { adapter: redisStreamsAdapter(client, { blockTimeInMs: 1_000 }), note, close };
    }
    case "redis": {
      const publisher = await connectRedisFor(choice.address);
      const subscriber = await connectRedisFor(choice.address);
      const close = async () => {
        await publisher.close();
        await subscriber.close();
      };
      return { adapter: redisAdapter(publisher.client, subscriber.client), note, close };
    }
    case "postgres":
      return { ...(await openPostgres(choice.address)), note };
    case "mongo":
      return (await openMongo(choice.address, note)) ?? withoutChangeStreams(choice, isInCluster);
  }
}

const variable = "the address for the Socket.IO adapter";

async function connectRedisFor(address: DatabaseUrl) {
  const client = await connectRedis(address, variable);
  lookAfter(client, (error) => {
    // this one says that the chat itself has closed the client
    if (!(error instanceof DisconnectsClientError)) tellLost(address, error);
  });
  const close = async () => client.destroy();
  return { client, close };
}

/**
 * The adapters drop the promises of what they publish and subscribe to: a Redis that goes away meanwhile would end the
 * process. So a client that they get, and the duplicates that they make of it, are looked after.
 */
function lookAfter(client: object, tell: (error: unknown) => void): void {
  for (const name of ["publish", "subscribe", "pSubscribe", "unsubscribe", "pUnsubscribe"]) {
    const method = Reflect.get(client, name);
    Reflect.set(client, name, (...args: unknown[]) => {
      const done: Promise<unknown> = Reflect.apply(method, client, args);
      done.catch(tell);
      return done;
    });
  }
  const duplicate = Reflect.get(client, "duplicate");
  Reflect.set(client, "duplicate", () => {
    const other: unknown = Reflect.apply(duplicate, client, []);
    if (typeof other === "object" && other !== null) lookAfter(other, tell);
    return other;
  });
}

function tellLost(address: DatabaseUrl, error: unknown): void {
  console.error(`A message to other nodes was lost: ${reasonOf(error, address)}`);
}

/** Messages too long for NOTIFY travel through a table. Nodes that start together make it one after another. */
const attachments = `
  SELECT pg_advisory_xact_lock(hashtext('socket_io_attachments'));
  CREATE TABLE IF NOT EXISTS socket_io_attachments (
    id bigserial UNIQUE, created_at timestamptz DEFAULT now(), payload bytea
  )`;

async function openPostgres(address: DatabaseUrl): Promise<Pick<OpenAdapter, "adapter" | "close">> {
  const pool = await connectPostgres(address, variable);
  await pool.query(attachments);
  const errorHandler = (error: Error) => tellLost(address, error);
  return {
    adapter: postgresAdapter(pool, { payloadThreshold: 7_500, errorHandler }),
    close: () => pool.end(),
  };
}

/** Undefined for a standalone server. Old messages are removed by a TTL index. */
async function openMongo(address: DatabaseUrl, note: string): Promise<OpenAdapter | undefined> {
  const { client, db, isReplicaSet } = await connectMongodb(address, variable);
  if (!isReplicaSet) {
    await client.close();
    return undefined;
  }
  const collection = db.collection("socket.io-adapter-events");
  await collection.createIndex({ createdAt: 1 }, { expireAfterSeconds: 3_600 });
  const adapter = mongoAdapter(collection, { addCreatedAtField: true });
  return { adapter, note, close: () => client.close() };
}

function withoutChangeStreams({ isNamed }: AdapterChoice, isInCluster: boolean): OpenAdapter {
  const why = "a standalone mongod has no change streams, which the mongo adapter needs";
  if (isNamed)
    throw new Error(`ADAPTER=mongo: ${why}. Use a replica set, or name another, such as ADAPTER=redis.`);
  if (isInCluster)
    return { adapter: clusterAdapter(), note: `Socket.IO adapter: cluster (${why})`, close: async () => {} };
  return { ...none, note: `${none.note} (${why}; name another with ADAPTER)` };
}
