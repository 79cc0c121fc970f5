/** Where the two nodes of a round meet: a database, by one of the clients it can be reached with. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { SessionStore } from "socket-session";
import { clearPlace, newPlace, openStore, type StoreAddress } from "../test/support/store-address.ts";

export type Client = "node:sqlite" | "redis" | "ioredis" | "pg" | "mongodb";

export interface Place {
  readonly address: StoreAddress;
  readonly client: Client;
  /** Whether the server is a replica set. */
  readonly isReplicaSet?: boolean;
}

/** A new, empty one. `url` is of no use to SQLite. */
export function openPlace(kind: StoreAddress["kind"], url: string): StoreAddress {
  if (kind !== "sqlite") return { kind, url, place: newPlace() };
  const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
  return { kind, url: join(directory, "sessions.sqlite"), place: "" };
}

export async function closePlace(address: StoreAddress): Promise<void> {
  if (address.kind === "sqlite") rmSync(join(address.url, ".."), { recursive: true, force: true });
  else await clearPlace(address);
}

/** Lasts as long as the process. */
export async function storeAt({ address, client }: Place): Promise<SessionStore> {
  return openStore(client === "ioredis" ? { ...address, client } : address);
}
