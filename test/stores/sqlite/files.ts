/** Session files for tests: a directory that goes away, raw connections, and other processes on the same file. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";

/** Run as a child process, so that TypeScript sources also run on releases of Node that ask for the flag. */
export const execArgv = ["--experimental-strip-types", "--disable-warning=ExperimentalWarning"];

export function fixturePath(name: string): string {
  return fileURLToPath(new URL(`../${name}.ts`, import.meta.url));
}

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

export function countRows(database: DatabaseSync, table: "sessions" | "changes"): number {
  return Number(database.prepare(`SELECT count(*) AS count FROM ${table}`).get()?.count);
}

/** Starts a fixture; it is killed after the test if it still runs. */
export function start(name: string, args: string[]): ChildProcess {
  const child = fork(fixturePath(name), args, { execArgv });
  onTestFinished(() => {
    child.kill("SIGKILL");
  });
  return child;
}

/** The next message of a child process; rejects if it ends instead. */
export async function message(child: ChildProcess): Promise<unknown> {
  const ended = new AbortController();
  const exit = once(child, "exit", { signal: ended.signal }).then(
    ([code]) => Promise.reject(new Error(`Expected a message, but the process ended with ${code}.`)),
    () => new Promise<never>(() => {}),
  );
  try {
    const [received] = await Promise.race([once(child, "message"), exit]);
    return received;
  } finally {
    ended.abort();
  }
}

export async function call(child: ChildProcess, method: string, ...args: unknown[]): Promise<unknown> {
  const answer = message(child);
  child.send({ method, args });
  return answer;
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
