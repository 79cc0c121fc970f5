/**
 * Opens a session file: checks that it is one, migrates its tables to this version, and configures how it is written.
 *
 * - WAL, so that readers and the one writer don't wait for each other;
 * - `synchronous = FULL`, so that a confirmed logout survives a power cut;
 * - no busy time-out: SQLite's own waiting would block the event loop (see `LockQueue`).
 *
 * Opening is synchronous and may wait up to `busyTimeoutMs` for other processes that open the same new file. It throws
 * `STORE_OPEN` if the file can't be used.
 */
import type { DatabaseSync } from "node:sqlite";
import { SocketSessionError } from "../../base/errors.ts";
import { isBusy, openError } from "./errors.ts";
import { applicationId, migrations, schemaVersion } from "./schema.ts";

export function openSqliteFile(path: string, busyTimeoutMs: number): DatabaseSync {
  const { DatabaseSync } = requireSqlite();
  let database: DatabaseSync | undefined;
  try {
    const opened = new DatabaseSync(path);
    database = opened;
    opened.exec("PRAGMA busy_timeout = 0");
    waitForLock(busyTimeoutMs, () => {
      inOneSnapshot(opened, () => refuseForeignFile(opened, path));
      opened.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
      migrate(opened, path);
    });
    refuseUnwritable(opened);
    return opened;
  } catch (error) {
    database?.close();
    throw openError(path, error);
  }
}

/** Not an import, so that a Node without the module fails here, with the cure. */
function requireSqlite(): typeof import("node:sqlite") {
  const sqlite: typeof import("node:sqlite") | undefined = process.getBuiltinModule("node:sqlite");
  if (sqlite) return sqlite;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    "sqliteStore() needs node:sqlite, which this Node has not got, or which --no-experimental-sqlite switches off. Remove that flag, or use a Node of nodejs.org.",
  );
}

/** Also throws if the file is damaged or not a database: it reads the pages that the store needs first. */
function refuseForeignFile(database: DatabaseSync, path: string): void {
  const owner = pragma(database, "application_id");
  const version = pragma(database, "user_version");
  const objects = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get();
  const isOurs = owner === applicationId;
  const isEmpty = owner === 0 && version === 0 && Number(objects?.count) === 0;
  if (!isOurs && !isEmpty) {
    throw new SocketSessionError(
      "STORE_OPEN",
      `Expected ${path} to be a session file or a new one, but it is a database of something else. ` +
        "Give the sessions a file of their own.",
    );
  }
  if (version > schemaVersion) {
    throw new SocketSessionError(
      "STORE_OPEN",
      `Expected ${path} to have tables of version ${schemaVersion} or older, but they are of version ${version}, ` +
        "written by a newer release of socket-session. Update socket-session here too.",
    );
  }
  if (version > 0) {
    database.prepare("SELECT 1 FROM sessions ORDER BY id LIMIT 1").get();
    database.prepare("SELECT 1 FROM sessions ORDER BY expires_at LIMIT 1").get();
    database.prepare("SELECT max(sequence) FROM changes").get();
  }
}

function migrate(database: DatabaseSync, path: string): void {
  if (pragma(database, "user_version") === schemaVersion) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    // Check again under the lock: another process may have migrated the file, or to a newer version.
    refuseForeignFile(database, path);
    for (const migration of migrations.slice(pragma(database, "user_version"))) database.exec(migration);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${schemaVersion}; COMMIT`);
  } catch (error) {
    rollback(database);
    throw error;
  }
}

/** Without one snapshot, another process's unfinished setup of the tables could be visible. */
function inOneSnapshot(database: DatabaseSync, look: () => void): void {
  database.exec("BEGIN");
  try {
    look();
  } finally {
    rollback(database);
  }
}

/** Tries a write, since `BEGIN IMMEDIATE` succeeds on a read-only file in WAL mode. Nothing reaches the disk. */
function refuseUnwritable(database: DatabaseSync): void {
  try {
    database.exec("BEGIN IMMEDIATE");
    database.exec(`PRAGMA user_version = ${schemaVersion}`);
  } catch (error) {
    // Another process is writing, so the file is writable; waiting for proof would block the event loop.
    if (!isBusy(error)) throw error;
  } finally {
    rollback(database);
  }
}

/** Ends a failed transaction. If SQLite has ended it already, ROLLBACK throws an error without information. */
export function rollback(database: DatabaseSync): void {
  try {
    database.exec("ROLLBACK");
  } catch {
    // No transaction is open, as wanted.
  }
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

/** Waits here, since the change to WAL fails with "busy" at once, whatever the busy time-out. */
function waitForLock(timeoutMs: number, attempt: () => void): void {
  const giveUpAt = performance.now() + timeoutMs;
  for (;;) {
    try {
      attempt();
      return;
    } catch (error) {
      if (!isBusy(error) || performance.now() >= giveUpAt) throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1 + Math.random() * 20);
    }
  }
}
