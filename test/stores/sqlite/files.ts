/** Session files for tests: a directory that goes away, raw connections, and another process that locks the file. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { onTestFinished } from "vitest";
import { message, start } from "../processes.ts";

export function temporaryDirectory(): { path: string; remove: () => void } {
  const path = mkdtempSync(join(tmpdir(), "sessions-"));
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

/** The path of a file that does not exist yet, in a directory that is removed after the test. */
export function newFile(): string {
  const directory = temporaryDirectory();
  onTestFinished(directory.remove);
  return join(directory.path, "sessions.db");
}

/** A connection without a store, to look at the tables and to break them. Closed after the test. */
export function rawConnection(path: string): DatabaseSync {
  const database = new DatabaseSync(path);
  database.exec("PRAGMA busy_timeout = 5000");
  onTestFinished(() => database.close());
  return database;
}

export function countRows(database: DatabaseSync, table: "sessions" | "tickets" | "changes"): number {
  return Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
}

/** Another process takes the write lock; the returned function makes it let go. */
export async function lockedElsewhere(path: string): Promise<() => Promise<void>> {
  const child = start("sqlite/fixtures/hold-lock", [path]);
  await message(child);
  return async () => {
    const released = message(child);
    child.send("release");
    await released;
  };
}
