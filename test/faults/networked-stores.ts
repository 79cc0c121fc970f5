/** The databases that are reached over a network, and how to recognise each one's change feed among its connections. */
import { startMongo } from "../../scripts/services/mongodb.mjs";
import { startPostgres } from "../../scripts/services/postgres.mjs";
import { startRedis } from "../../scripts/services/redis.mjs";
import type { Server } from "../../scripts/services/server.mjs";
import type { ServiceName } from "../setup/services.ts";
import type { StoreAddress } from "../support/store-address.ts";
import type { FeedMarks } from "./tcp-proxy.ts";

export interface NetworkedStore {
  readonly name: string;
  readonly service: ServiceName;
  readonly kind: StoreAddress["kind"];
  readonly feed: FeedMarks;
  /**
   * Whether the driver takes the feed's connection from the pool that all others come from, and gives the whole pool up
   * when that one breaks: reads may then fail for as long as `staleMs`.
   */
  readonly feedSharesPool?: boolean;
  /** A server of a story's own, that keeps what it has acknowledged when it is killed. */
  readonly startServer?: () => Promise<Server>;
}

/** Cursors take a connection out of the driver's pool for each question. */
const mongodbFeed: FeedMarks = {
  marks: ["\x12getMore\0", "\x08tailable\0", "$changeStream\0"],
  isSticky: false,
};

export const redis: NetworkedStore = {
  name: "Redis",
  service: "redis",
  kind: "redis",
  feed: { marks: ["SUBSCRIBE\r\n", "subscribe\r\n"], isSticky: true },
  startServer: () => startRedis(),
};

export const postgres: NetworkedStore = {
  name: "PostgreSQL",
  service: "postgres",
  kind: "postgres",
  feed: { marks: ["LISTEN "], isSticky: true },
  startServer: () => startPostgres(),
};

export const mongodb: NetworkedStore = {
  name: "MongoDB, standalone",
  service: "mongodb",
  kind: "mongodb",
  feed: mongodbFeed,
  feedSharesPool: true,
  startServer: () => startMongo(),
};

/** What is there without a mongod keeps its sessions in memory: no story may restart it. */
export const mongodbReplica: NetworkedStore = {
  name: "MongoDB, replica set",
  service: "mongodb-replica",
  kind: "mongodb",
  feed: mongodbFeed,
  feedSharesPool: true,
};
