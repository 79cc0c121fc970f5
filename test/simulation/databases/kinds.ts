import type { DatabaseKind } from "./database.ts";
import { mongodb, mongodbStandalone } from "./mongodb.ts";
import { postgres } from "./postgres.ts";
import { redisKinds } from "./redis.ts";
import { referenceKinds } from "./reference.ts";
import { sqliteKind } from "./sqlite.ts";

/** All that can be simulated. */
export const databaseKinds: readonly DatabaseKind[] = [
  ...referenceKinds,
  ...redisKinds,
  sqliteKind,
  postgres,
  mongodb,
  mongodbStandalone,
];

export function databaseKind(name: string): DatabaseKind {
  const kind = databaseKinds.find((one) => one.name === name);
  if (!kind)
    throw new Error(
      `Expected a database of ${databaseKinds.map((one) => one.name).join("; ")}; it was ${name}.`,
    );
  return kind;
}
