/** The database that the two nodes of a round share, and the client that they reach it with. */
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

/** A new, empty one. SQLite ignores `url`. */
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
