/** The database that the two nodes of a round share, and the client that they reach it with. */
import type { SessionStore } from "socket-session";
import { openStore, type StoreAddress } from "../../test/support/store-address.ts";

export type Client = "node:sqlite" | "redis" | "ioredis" | "pg" | "mongodb";

export interface Place {
  readonly address: StoreAddress;
  readonly client: Client;
  /** Whether the server is a replica set. */
  readonly isReplicaSet?: boolean;
}

/** Lasts as long as the process. */
export async function storeAt({ address, client }: Place): Promise<SessionStore> {
  return openStore(client === "ioredis" ? { ...address, client } : address);
}
