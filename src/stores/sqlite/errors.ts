/**
 * Turns errors of `node:sqlite` into errors about the file: which file, what was expected, what happened, and the cure.
 * The original error is always the `cause`.
 */
import { accessSync, constants, existsSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { errorText, SocketSessionError } from "../../base/errors.ts";

const BUSY = 5;
const READONLY = 8;
const CORRUPT = 11;
const FULL = 13;
const CANTOPEN = 14;
const NOTADB = 26;

const curesByResultCode = new Map([
  [BUSY, "End the program that keeps the file locked, or raise busyTimeoutMs."],
  [
    READONLY,
    "Let this process write the file and its directory (SQLite keeps -wal and -shm files beside it).",
  ],
  [10 /* IOERR */, "Check the disk and the file system: the write failed there."],
  [
    CORRUPT,
    "Restore the file from a backup, or move it away: a new one is made, and everyone logs in again.",
  ],
  [FULL, "Make room on the disk."],
  [CANTOPEN, "Check that the directory exists and that this process may write there."],
  [NOTADB, "Give a path of its own to the session file, or move the other file away."],
]);

/** The primary result code of SQLite, without its extension (SQLITE_BUSY_SNAPSHOT is SQLITE_BUSY). */
function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !("errcode" in error) || typeof error.errcode !== "number")
    return undefined;
  return error.errcode & 0xff;
}

/** Another connection has the lock: the same operation may succeed later. */
export function isBusy(error: unknown): boolean {
  return resultCode(error) === BUSY;
}

export function openError(path: string, error: unknown): SocketSessionError {
  if (error instanceof SocketSessionError) return error;
  const found = obstacle(path);
  const cure = found?.cure ?? cureFor(error);
  return new SocketSessionError(
    "STORE_OPEN",
    `Expected to read and write sessions in the SQLite file ${path}, but ${found?.what ?? said(error)}. ${cure}`.trim(),
    { cause: error },
  );
}

export function operationError(path: string, error: unknown): SocketSessionError {
  if (error instanceof SocketSessionError) return error;
  return new SocketSessionError(
    "STORE_FAILED",
    `Expected the SQLite file ${path} to take the operation, but SQLite said: ${said(error)}. ${cureFor(error)}`.trim(),
    { cause: error },
  );
}

export function lockedError(path: string, waitedMs: number, cause: unknown): SocketSessionError {
  return new SocketSessionError(
    "STORE_FAILED",
    `Expected to get the write lock of the SQLite file ${path}, but another program held it for ${waitedMs} ms. ` +
      cureFor(cause),
    { cause },
  );
}

/** SQLite's own text for its result code. For other errors the name and code, since a message may quote data. */
function said(error: unknown): string {
  const words = error instanceof Error && "errstr" in error ? error.errstr : undefined;
  return typeof words === "string" ? words : errorText(error);
}

function cureFor(error: unknown): string {
  return curesByResultCode.get(resultCode(error) ?? 0) ?? "";
}

/** Finds the reason why the file can't be opened: SQLite only says "unable to open database file". */
function obstacle(path: string): { what: string; cure: string } | undefined {
  if (path === ":memory:" || path.startsWith("file:")) return undefined;
  const directory = dirname(path);
  if (!existsSync(directory)) {
    return { what: `the directory ${directory} does not exist`, cure: "Create the directory first." };
  }
  if (!statSync(directory).isDirectory()) {
    return { what: `${directory} is not a directory`, cure: "Give a path inside a directory." };
  }
  if (existsSync(path) && statSync(path).isDirectory()) {
    return { what: "it is a directory", cure: "Give the path of a file inside it." };
  }
  for (const place of existsSync(path) ? [directory, path] : [directory]) {
    if (!writable(place)) {
      return { what: `this process may not write ${place}`, cure: curesByResultCode.get(READONLY) ?? "" };
    }
  }
  return undefined;
}

function writable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    // The caller reports SQLite's own error as the cause.
    return false;
  }
}
