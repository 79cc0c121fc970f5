import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import type { SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { sqliteStore } from "socket-session/sqlite";

export interface Environment {
  readonly port: number;
  readonly store: SessionStore;
  readonly secret: string;
  /** What whoever starts the chat should know about it. */
  readonly notes: readonly string[];
}

type Variables = Readonly<Record<string, string | undefined>>;

/** `PORT`, `STORE` and `SECRET`, checked; each has a default. Throws in words that say what to set instead. */
export function readEnvironment({ PORT, STORE, SECRET }: Variables): Environment {
  const port = portOf(PORT || "3000");
  const path = databasePath(STORE || "file:./data/chat.sqlite");
  if (path === undefined) {
    const notes = ["Sessions: in memory, gone when this process ends"];
    return { port, store: memoryStore(), secret: SECRET || newSecret(), notes };
  }
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  const notes = [`Sessions: ${path}`];
  const secretPath = `${path}.secret`;
  if (!SECRET) notes.push(`Secret: ${secretPath} (set SECRET to use another)`);
  const secret = SECRET || keptSecret(secretPath);
  return { port, store: sqliteStore({ path }), secret, notes };
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(
    `PORT expects a number from 0 to 65535, but it is "${text}". For example: PORT=3001 npm start`,
  );
}

/** The file that `STORE` names; undefined for memory. */
function databasePath(store: string): string | undefined {
  if (store === "memory") return undefined;
  if (store.startsWith("file:///")) return fileURLToPath(store);
  const path = store.startsWith("file:") ? store.slice("file:".length) : "";
  if (path !== "") return resolve(path);
  // Not the value itself: it may be the address of a database, password included.
  throw new Error("STORE expects file:./data/chat.sqlite (or another path), or memory, but it is neither.");
}

/** Cookies are signed with it: whoever can read it can make themselves any session's cookie. */
function newSecret(): string {
  return randomBytes(32).toString("base64url");
}

/** A new secret at each start would log everybody out, so it is made once and kept beside the database. */
function keptSecret(path: string): string {
  try {
    writeFileSync(path, newSecret(), { flag: "wx", mode: 0o600 });
  } catch (error) {
    if (!(error instanceof Error && "code" in error && error.code === "EEXIST")) throw error;
  }
  const secret = readFileSync(path, "utf8").trim();
  if (secret !== "") return secret;
  throw new Error(
    `${path} is empty. Remove it to get a new secret (everybody is logged out), or set SECRET.`,
  );
}
