/** Where the sessions of one process or several are: a database, and a new, empty place in it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { clearPlace, newPlace, type StoreAddress } from "../../test/support/store-address.ts";

/** SQLite ignores `url`. */
export function openPlace(kind: StoreAddress["kind"], url: string): StoreAddress {
  if (kind !== "sqlite") return { kind, url, place: newPlace() };
  const directory = mkdtempSync(join(tmpdir(), "socket-session-"));
  return { kind, url: join(directory, "sessions.sqlite"), place: "" };
}

export async function closePlace(address: StoreAddress): Promise<void> {
  if (address.kind === "sqlite") rmSync(join(address.url, ".."), { recursive: true, force: true });
  else await clearPlace(address);
}
