import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type DatabaseUrl, databaseSchemes, readDatabaseUrl } from "./database-url.ts";

/** Where the sessions are stored. */
export type StoreAddress =
  | { readonly kind: "memory"; readonly shown: string }
  | { readonly kind: "file"; readonly path: string; readonly shown: string }
  | DatabaseUrl;

/** Parses `STORE`. Errors are readable and never quote the value, which may contain a password. */
export function readStoreAddress(text: string): StoreAddress {
  if (text === "memory") return { kind: "memory", shown: "in memory, gone when this process ends" };
  const path = filePath(text);
  if (path !== undefined) return { kind: "file", path, shown: path };
  const database = readDatabaseUrl(text);
  if (database) return database;
  throw new Error(
    `STORE expects file:./data/chat.sqlite (or another path), ${databaseSchemes.join(", ")} or memory, but it is none of these.`,
  );
}

function filePath(text: string): string | undefined {
  if (text.startsWith("file:///")) return fileURLToPath(text);
  const path = text.startsWith("file:") ? text.slice("file:".length) : "";
  return path === "" ? undefined : resolve(path);
}
