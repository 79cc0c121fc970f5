import { createAdapter } from "@socket.io/mongo-adapter";
import { connectMongodb } from "../connect-mongodb.ts";
import type { DatabaseUrl } from "../database-url.ts";
import { noteOf, type OpenAdapter, variable } from "./opened.ts";

const keptForSeconds = 3_600;

/** Undefined for a standalone server, which has no change streams. */
export async function openMongo(address: DatabaseUrl): Promise<OpenAdapter | undefined> {
  const { client, db, isReplicaSet } = await connectMongodb(address, variable);
  if (!isReplicaSet) {
    await client.close();
    return undefined;
  }
  const collection = db.collection("socket.io-adapter-events");
  await collection.createIndex({ createdAt: 1 }, { expireAfterSeconds: keptForSeconds });
  const adapter = createAdapter(collection, { addCreatedAtField: true });
  return { adapter, note: noteOf("mongo"), close: () => client.close() };
}
