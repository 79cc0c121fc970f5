/** Clients of both packages for tests, of one server or of a Cluster. */
import { Cluster, Redis } from "ioredis";
import { createClient, createCluster } from "redis";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";

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
  const rootNodes = url.split(",").map((one) => ({ url: one }));
  const client = rootNodes.length > 1 ? createCluster({ rootNodes }) : createClient({ url });
  client.on("error", () => {}); // tests that cut connections look at what comes of it
  await client.connect();
  return { client, close: () => client.destroy() };
}

export function openIoRedis(url: string): Redis | Cluster {
  const urls = url.split(",");
  const client = urls.length > 1 ? new Cluster(urls) : new Redis(url);
  client.on("error", () => {});
  return client;
}
