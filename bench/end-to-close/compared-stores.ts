/** The stores whose nodes are compared with the same done bare, and what stands for MongoDB on this machine. */
import { urlOfKind } from "../run/places.ts";
import { mongodbProgram } from "../run/servers.ts";
import { mongodb, mongodbReplica } from "../stores/mongodb.ts";
import { postgres } from "../stores/postgres.ts";
import { ioredis, redis } from "../stores/redis.ts";
import { sqlite } from "../stores/sqlite.ts";
import type { StoreKind } from "../stores/store.ts";
import type { Client } from "./places.ts";

export interface Compared {
  readonly kind: StoreKind;
  readonly client: Client;
  readonly isReplicaSet?: boolean;
}

export const stores: readonly Compared[] = [
  { kind: sqlite, client: "node:sqlite" },
  { kind: redis, client: "redis" },
  { kind: ioredis, client: "ioredis" },
  { kind: postgres, client: "pg" },
  { kind: mongodb, client: "mongodb" },
  { kind: mongodbReplica, client: "mongodb", isReplicaSet: true },
];

export async function programsOf(here: readonly Compared[]): Promise<string[]> {
  const notes: string[] = [];
  for (const { kind } of here)
    if (kind.address === "mongodb") notes.push(`${kind.title}: ${await mongodbProgram(urlOfKind(kind))}.`);
  return notes;
}
