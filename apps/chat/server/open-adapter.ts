import type { AdapterChoice } from "./adapter-choice.ts";
import { noteOf, type OpenAdapter } from "./adapters/opened.ts";
import type { DatabaseUrl } from "./database-url.ts";

/**
 * Opens an adapter on connections of its own. Rejects with a readable message if its database can't be reached, or
 * can't serve it. Loads an adapter's packages only when it is used.
 */
export async function openAdapter(choice: AdapterChoice, isInCluster: boolean): Promise<OpenAdapter> {
  switch (choice.name) {
    case "none":
      return noAdapter();
    case "cluster":
      return (await import("./adapters/cluster.ts")).openCluster();
    case "redis-streams":
      return (await import("./adapters/redis.ts")).openRedisStreams(choice.address);
    case "redis":
      return (await import("./adapters/redis.ts")).openRedis(choice.address);
    case "postgres":
      return (await import("./adapters/postgres.ts")).openPostgres(choice.address);
    case "mongo":
      return openMongoOrAnother(choice.address, choice.isNamed, isInCluster);
  }
}

function noAdapter(why = ""): OpenAdapter {
  const note = noteOf(`none, so messages stay on their node${why}`);
  return { adapter: undefined, note, close: async () => {} };
}

async function openMongoOrAnother(
  address: DatabaseUrl,
  isNamed: boolean,
  isInCluster: boolean,
): Promise<OpenAdapter> {
  const { openMongo } = await import("./adapters/mongo.ts");
  const opened = await openMongo(address);
  if (opened) return opened;
  const why = "a standalone mongod has no change streams, which the mongo adapter needs";
  if (isNamed)
    throw new Error(`ADAPTER=mongo: ${why}. Use a replica set, or name another, such as ADAPTER=redis.`);
  if (isInCluster) return (await import("./adapters/cluster.ts")).openCluster(` (${why})`);
  return noAdapter(` (${why}; name another with ADAPTER)`);
}
