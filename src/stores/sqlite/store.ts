/**
 * Sessions in one SQLite file, shared by the processes of one machine; nothing to install, `node:sqlite` is built in.
 *
 * ```ts
 * import { sqliteStore } from "socket-session/sqlite";
 * const sessions = liveSessions({ store: sqliteStore({ path: "sessions.db" }), secret });
 * ```
 *
 * - `path`: the file, created if missing (but not its directory). It has to be on a local disk, and hold only sessions.
 *   `":memory:"` works for a single process.
 * - `clock`: decides when a session expires; the system's by default.
 * - `pollIntervalMs`: how often to look for other processes' writes, while the feed has listeners; 25.
 * - `busyTimeoutMs`: how long an operation waits for another process's lock before it rejects; 5000. Only opening blocks
 *   the event loop while it waits.
 * - `pruneIntervalMs`: how often expired sessions and tickets, and feed entries older than ten minutes, are removed; 60000.
 *
 * Opening throws `STORE_OPEN` at once if the file can't be used. Confirmed writes survive a crash of the process and a
 * power cut. `close()` lets operations that were begun finish, and closes the file; later ones reject.
 */
import { clockOf } from "../../base/arguments.ts";
import type { Clock } from "../../base/clock.ts";
import { shown } from "../../base/shown.ts";
import { requireNode } from "../../base/versions.ts";
import type {
  CookieDocument,
  FeedListener,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
  UserSession,
} from "../../session-store.ts";
import { documentText } from "../common/documents.ts";
import { checkStoreOptions } from "../common/options.ts";
import { untilClosed } from "../common/until-closed.ts";
import { isBusy, lockedError, operationError } from "./errors.ts";
import { SqliteFeed } from "./feed.ts";
import { openSqliteFile } from "./file.ts";
import { LockQueue } from "./lock-queue.ts";
import { SqlitePruning } from "./pruning.ts";
import { SqliteTables } from "./tables.ts";

export interface SqliteStoreOptions {
  path: string;
  clock?: Clock;
  pollIntervalMs?: number;
  busyTimeoutMs?: number;
  pruneIntervalMs?: number;
}

const known: Readonly<Record<keyof SqliteStoreOptions, true>> = {
  ...{ path: true, clock: true, pollIntervalMs: true, busyTimeoutMs: true, pruneIntervalMs: true },
};

const usage = 'sqliteStore({ path: "sessions.db" })';

/** For other packages' names of the file, or of an option in its place. */
const cures = Object.fromEntries(
  ["filename", "file", "filepath", "dbPath", "db", "database", "client", "dir", "url"].map((name) => [
    name,
    `Give the path of the sessions' own file: ${usage}.`,
  ]),
);

export function sqliteStore(options: SqliteStoreOptions): SessionStore {
  requireNode();
  const check = checkStoreOptions("sqliteStore()", usage, options, known, cures);
  const clock = clockOf("sqliteStore()", options.clock);
  const { path, pollIntervalMs = 25, busyTimeoutMs = 5000, pruneIntervalMs = 60_000 } = options;
  const isPath = typeof path === "string" && path !== "";
  check.expect(isPath, "path", "the path of a file", shown(path), 'Give one such as "sessions.db".');
  for (const [name, value] of Object.entries({ pollIntervalMs, busyTimeoutMs, pruneIntervalMs }))
    check.number(name, value, { unit: "milliseconds" });
  const store = new SqliteStore({ path, clock, pollIntervalMs, busyTimeoutMs, pruneIntervalMs });
  return untilClosed(store, "sqliteStore()");
}

class SqliteStore implements SessionStore {
  readonly name = "sqlite";
  readonly atomic = true;
  readonly feed = { kind: "table of changes", complete: true };
  readonly #path: string;
  readonly #queue: LockQueue;
  readonly #tables: SqliteTables;
  readonly #feed: SqliteFeed;
  readonly #pruning: SqlitePruning;
  readonly #closeFile: () => void;

  constructor({ path, clock, pollIntervalMs, busyTimeoutMs, pruneIntervalMs }: Required<SqliteStoreOptions>) {
    const database = openSqliteFile(path, busyTimeoutMs);
    this.#path = path;
    this.#closeFile = () => database.close();
    this.#tables = new SqliteTables(database, clock);
    this.#queue = new LockQueue({
      timeoutMs: busyTimeoutMs,
      isBusy,
      timeoutError: (waitedMs, cause) => lockedError(path, waitedMs, cause),
    });
    this.#feed = new SqliteFeed(database, {
      clock,
      pollIntervalMs,
      busyTimeoutMs,
      wrapError: (error) => operationError(path, error),
    });
    this.#pruning = new SqlitePruning(this.#tables, this.#queue, clock, pruneIntervalMs);
  }

  read(key: SessionKey): Promise<StoredSession | null> {
    return this.#reading(() => this.#tables.read(key));
  }

  async create(
    key: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
  ): Promise<Revision | null> {
    const text = documentText(document);
    return this.#writing(() => this.#tables.create(key, text, expiresAt, user));
  }

  async replace(
    key: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write?: string,
    isNewUser?: boolean,
  ): Promise<Revision | null> {
    const text = documentText(document);
    return this.#writing(() => {
      const revision = this.#tables.replace(key, expected, text, expiresAt, user, write, isNewUser);
      if (revision !== null) this.#feed.afterCommit();
      return revision;
    });
  }

  touch(key: SessionKey, expiresAt: number, _cookie: CookieDocument, user?: string): Promise<boolean> {
    return this.#writing(() => this.#tables.touch(key, expiresAt, user));
  }

  listByUser(user: string): Promise<UserSession[]> {
    return this.#reading(() => this.#tables.listByUser(user));
  }

  destroy(key: SessionKey, reason: StoredEndReason, _isNewId?: boolean, message?: string): Promise<boolean> {
    return this.#writing(() => {
      const destroyed = this.#tables.destroy(key, reason, message);
      if (destroyed) this.#feed.afterCommit();
      return destroyed;
    });
  }

  async changes(listener: FeedListener): Promise<Unsubscribe> {
    const remove = await this.#reading(() => this.#feed.listen(listener));
    return async () => remove();
  }

  tell(note: string): Promise<void> {
    return this.#writing(() => {
      this.#tables.tell(note);
      this.#feed.afterCommit();
    });
  }

  all(): Promise<Record<string, SessionDocument>> {
    return this.#reading(() => this.#tables.all());
  }

  count(): Promise<number> {
    return this.#reading(() => this.#tables.count());
  }

  clear(): Promise<void> {
    return this.#writing(() => {
      this.#tables.clear();
      this.#feed.afterCommit();
    });
  }

  putTicket(id: string, value: string, expiresAt: number): Promise<void> {
    return this.#writing(() => this.#tables.putTicket(id, value, expiresAt));
  }

  takeTicket(id: string): Promise<string | null> {
    return this.#writing(() => this.#tables.takeTicket(id));
  }

  async close(): Promise<void> {
    this.#pruning.stop();
    this.#feed.close();
    await this.#queue.run(this.#closeFile);
  }

  /** In WAL mode readers don't wait for the writer, so reads don't queue behind the store's own pending writes. */
  #reading<Result>(operation: () => Result): Promise<Result> {
    return this.#wrapped(() => this.#queue.runAtOnce(operation));
  }

  #writing<Result>(operation: () => Result): Promise<Result> {
    return this.#wrapped(() => this.#queue.run(operation));
  }

  async #wrapped<Result>(operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation();
    } catch (error) {
      throw operationError(this.#path, error);
    }
  }
}
