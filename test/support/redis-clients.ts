/** Clients of both packages for tests, of one server or of a Cluster. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import type { RedisStoreOptions } from "socket-session/redis";

export type ClientPackage = "redis" | "ioredis";

export interface OpenedClient {
  readonly client: RedisStoreOptions["client"];
  close(): void;
}

export async function openClient(from: ClientPackage, url: string): Promise<OpenedClient> {
  if (from === "ioredis") {
    const client = openIoRedis(url);
    return { client, close: () => client.disconnect() };
  }
  const client = url.includes(",") ? await redisCluster(url) : await redisClient(url);
  return { client, close: () => client.destroy() };
}

/** A busy machine may take longer to connect than the 5 s that are the client's default. */
const patienceMs = 30_000;

export async function redisClient(url: string) {
  const client = createClient({ url, socket: { connectTimeout: patienceMs } });
  client.on("error", () => {}); // tests that cut connections look at what comes of it
  return client.connect();
}

async function redisCluster(urls: string) {
  const client = createCluster({ rootNodes: urls.split(",").map((url) => ({ url })) });
  client.on("error", () => {});
  return client.connect();
}

export function openIoRedis(url: string): Redis | Cluster {
  const urls = url.split(",");
  const client = urls.length > 1 ? new Cluster(urls) : new Redis(url);
  client.on("error", () => {});
  return client;
}

/** All keys of the sessions and of the index under that prefix. */
export async function keysUnder(client: Redis | Cluster, prefix: string): Promise<string[]> {
  await client.ping(); // a Cluster knows its nodes by then
  const nodes = client instanceof Cluster ? client.nodes("master") : [client];
  const found = nodes.map(async (node) => [
    ...(await node.keys(`${prefix}*`)),
    ...(await node.keys(`socket-session:${prefix}*`)),
  ]);
  return (await Promise.all(found)).flat();
}
