/** The stores that nodes can share, each with the server it needs. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe } from "vitest";
import { type ServiceName, withService } from "../setup/services.ts";
import { clearPlace, newPlace, type StoreAddress } from "./store-address.ts";

export interface SharedStore {
  readonly name: string;
  /** Skipped where its server is missing. */
  readonly describe: ReturnType<typeof describe.skipIf>;
  /** A new, empty place in it, and how to be rid of that. */
  open(): { address: StoreAddress; clear(): Promise<void> };
}

function networked(name: string, kind: StoreAddress["kind"], serviceName: ServiceName): SharedStore {
  const service = withService(serviceName);
  return {
    name,
    describe: service.describe,
    open() {
      const address = { kind, url: service.url, place: newPlace() };
      return { address, clear: () => clearPlace(address) };
    },
  };
}

const sqlite: SharedStore = {
  name: "SQLite",
  describe: describe.skipIf(false),
  open() {
    const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
    return {
      address: { kind: "sqlite", url: join(directory, "sessions.sqlite"), place: "" },
      clear: async () => rmSync(directory, { recursive: true, force: true }),
    };
  },
};

/** Its index of users may be on another server than a session. */
export const redisCluster = networked("a Redis Cluster", "redis", "redis-cluster");

export const sharedStores: readonly SharedStore[] = [
  sqlite,
  networked("Redis", "redis", "redis"),
  networked("PostgreSQL", "postgres", "postgres"),
  networked("MongoDB, standalone", "mongodb", "mongodb"),
  networked("MongoDB, replica set", "mongodb", "mongodb-replica"),
];
