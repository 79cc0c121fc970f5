import { memory, wrapped } from "./memory.ts";
import { mongodb, mongodbReplica } from "./mongodb.ts";
import { postgres } from "./postgres.ts";
import { ioredis, redis } from "./redis.ts";
import { sqlite } from "./sqlite.ts";
import type { StoreKind } from "./store.ts";

const storeKinds: readonly StoreKind[] = [
  memory,
  wrapped,
  sqlite,
  redis,
  ioredis,
  postgres,
  mongodb,
  mongodbReplica,
];

export function storeNamed(name: string): StoreKind {
  const found = storeKinds.find((kind) => kind.name === name);
  if (!found) throw new Error(`There is no store "${name}".`);
  return found;
}
