import { type Db, MongoClient } from "mongodb";
import type { DatabaseUrl } from "./database-url.ts";
import { connectTimeoutMs, reach } from "./reach.ts";

/** A client, closed by its owner, and the database that the address names, else `chat`. */
export async function connectMongodb(
  address: DatabaseUrl,
  variable: string,
): Promise<{ client: MongoClient; db: Db; isReplicaSet: boolean }> {
  return reach(address, variable, async () => {
    const client = new MongoClient(address.url, { serverSelectionTimeoutMS: connectTimeoutMs });
    try {
      const db = client.db(/\/\/[^/]*\/[^?]/.test(address.url) ? undefined : "chat");
      const { setName } = await db.command({ hello: 1 });
      return { client, db, isReplicaSet: setName !== undefined };
    } catch (error) {
      await client.close();
      throw error;
    }
  });
}
