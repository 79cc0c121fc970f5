/** Where the sessions of one process or several are: a database, and a new, empty place in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearPlace, newPlace, type StoreAddress } from "../../test/support/store-address.ts";
import type { StoreKind } from "../stores/store.ts";
import { urlOf } from "./servers.ts";

/** Whether the machine has its server, if it needs one. */
export function isHere({ service }: StoreKind): boolean {
  return service === undefined || urlOf(service) !== undefined;
}

/** Empty if it needs no server. */
export function urlOfKind({ service }: StoreKind): string {
  return (service && urlOf(service)) ?? "";
}

export function openPlaceOf(kind: StoreKind): StoreAddress {
  if (kind.address === undefined) throw new Error(`Expected a store with a place; ${kind.name} has none.`);
  if (kind.address !== "sqlite") return { kind: kind.address, url: urlOfKind(kind), place: newPlace() };
  const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
  return { kind: kind.address, url: join(directory, "sessions.sqlite"), place: "" };
}

export async function closePlace(address: StoreAddress): Promise<void> {
  if (address.kind === "sqlite") rmSync(join(address.url, ".."), { recursive: true, force: true });
  else await clearPlace(address);
}
