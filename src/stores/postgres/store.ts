/**
 * Sessions in PostgreSQL 11 or later, in the table of connect-pg-simple 10, next to applications that use that package.
 *
 * ```ts
 * import { postgresStore } from "socket-session/postgres";
 * const sessions = liveSessions({ store: postgresStore({ pool: new Pool() }), secret });
 * ```
 *
 * As in connect-pg-simple:
 * - `pool`: a Pool of `pg` 8 or later. The application owns it: the store never closes it, and keeps no client of it.
 * - `schemaName`, `tableName`: the sessions' table; `session`, found by the connection's search path.
 * - `createTableIfMissing`: false.
 * - `ttl`: how long a session without a `cookie.maxAge` lives, in seconds; 86400.
 * - `pruneSessionInterval`: how often expired sessions are removed, in seconds, or false; 900.
 * - `pruneSessionRandomizedInterval`: a function of that interval in milliseconds that returns each delay, or false for
 *   the interval itself; half to one and a half of it.
 * - `errorLog`: called when pruning fails; by default debug output (`DEBUG=socket-session:store`).
 *
 * Its own:
 * - `userIndex`: whether to keep an index of each user's sessions, once there are users; true.
 * - `usersTableName`: the table of that index, created when first needed; the session table's name and `_users`.
 * - `listenConnectionString`: how the change feed connects, if the pool leads to a pooler in transaction mode.
 * - `otherWriters`: whether applications with connect-pg-simple, which publish nothing, write to the table too; false. Live
 *   sessions are then also read regularly.
 * - `clock`: decides when a session expires; the system's by default.
 *
 * `close()` ends the feed's connection and the pruning. Until then the pool has a listener for errors of its idle clients.
 */

import createDebug from "debug";
import { mapInTurns } from "../../base/batches.ts";
import { errorText } from "../../base/errors.ts";
import type {
  CookieDocument,
  FeedListener,
  FeedOptions,
  FeedTraits,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
  UserSession,
} from "../../session-store.ts";
import { documentText, ifReadable, parseDocument } from "../common/documents.ts";
import { unescaped } from "../common/ids.ts";
import { changeMessage, clearedMessage, endOf, noteMessage } from "../common/messages.ts";
import { RemoteFeed } from "../common/remote-feed.ts";
import { untilClosed } from "../common/until-closed.ts";
import { fitting, PostgresFeedSource } from "./feed.ts";
import { indexedSid, storedSid, storedUser } from "./ids.ts";
import {
  type PostgresPool,
  type PostgresStoreOptions,
  type ResolvedPostgresOptions,
  resolvePostgresOptions,
} from "./options.ts";
import { PostgresPruning } from "./pruning.ts";
import { PostgresTables, type Row } from "./tables.ts";

export type { PostgresPool, PostgresStoreOptions } from "./options.ts";

export function postgresStore(options: PostgresStoreOptions): SessionStore {
  return untilClosed(new PostgresStore(resolvePostgresOptions(options)), "postgresStore()");
}

const debug = createDebug("socket-session:store");

class PostgresStore implements SessionStore {
  readonly name = "postgres";
  readonly atomic = true;
  readonly feed: FeedTraits;
  readonly ttlMs: number;
  readonly listByUser?: (user: string) => Promise<UserSession[]>;
  readonly #tables: PostgresTables;
  readonly #feed: RemoteFeed;
  readonly #pruning: PostgresPruning;
  readonly #pool: PostgresPool;

  constructor(options: ResolvedPostgresOptions) {
    this.#pool = options.pool;
    this.ttlMs = options.ttlMs;
    this.feed = { kind: "notify", complete: !options.otherWriters };
    this.#tables = new PostgresTables(options);
    const source = new PostgresFeedSource(this.#tables, options);
    this.#feed = new RemoteFeed(() => source, options.clock);
    this.#pruning = new PostgresPruning(this.#tables, options);
    this.#pool.on?.("error", idleClientLost);
    if (this.#tables.users) this.listByUser = (user) => this.#listByUser(user);
  }

  async read({ sid }: SessionKey): Promise<StoredSession | null> {
    const [row] = await this.#query(this.#sql.read, [storedSid(sid), this.#now()]);
    return row ? storedSession(row) : null;
  }

  async readMany(keys: readonly SessionKey[]): Promise<(StoredSession | null)[]> {
    if (keys.length === 0) return [];
    const ids = keys.map(({ sid }) => storedSid(sid));
    const rows = await this.#query(this.#sql.readMany, [[...new Set(ids)], this.#now()]);
    const rowsById = new Map(rows.map((row) => [row.sid, row]));
    return ids.map((id) => {
      const row = rowsById.get(id);
      return row ? storedSession(row) : null;
    });
  }

  async create(
    { sid }: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
  ): Promise<Revision | null> {
    const text = documentText(document);
    const users = await this.#userOf(user);
    const values = [indexedSid(sid), this.#now(), text, expiresAt, ...users];
    const [row] = await this.#query(this.#sql.create(users.length > 0), values);
    return row ? String(row.revision) : null;
  }

  async replace(
    { sid, publicIds }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write = "",
    isNewUser = false,
  ): Promise<Revision | null> {
    const text = documentText(document);
    const message = fitting(publicIds, (ids) => changeMessage({ kind: "changed", publicIds: ids, write }));
    const users = await this.#userOf(user);
    const id = users.length > 0 ? indexedSid(sid) : storedSid(sid);
    const until = expiresAt === "keep" ? [] : [expiresAt];
    const values = [id, this.#now(), String(expected), text, message, ...users, ...until];
    const [row] = await this.#query(
      this.#sql.replace(users.length === 0 ? "none" : isNewUser ? "new" : "same", expiresAt === "keep"),
      values,
    );
    return row ? String(row.revision) : null;
  }

  async touch(
    { sid }: SessionKey,
    expiresAt: number,
    _cookie: CookieDocument,
    user?: string,
  ): Promise<boolean> {
    const users = await this.#userOf(user);
    const id = users.length > 0 ? indexedSid(sid) : storedSid(sid);
    const values = [id, this.#now(), expiresAt, ...users];
    const rows = await this.#query(this.#sql.touch(users.length > 0), values);
    return rows.length > 0;
  }

  async destroy(
    { sid, publicIds }: SessionKey,
    reason: StoredEndReason,
    _isNewId?: boolean,
    words?: string,
  ): Promise<boolean> {
    const message = fitting(publicIds, (ids) =>
      changeMessage({ kind: "ended", publicIds: ids, ...endOf(reason, words) }),
    );
    const values = [storedSid(sid), this.#now(), message];
    const rows = await this.#query(this.#sql.destroy(this.#tables.users?.isKnown === true), values);
    return rows.length > 0;
  }

  changes(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe> {
    return this.#feed.listen(listener, options);
  }

  async tell(note: string): Promise<void> {
    await this.#query(this.#sql.publish, [noteMessage(note)]);
  }

  async all(): Promise<Record<string, SessionDocument>> {
    const rows = await this.#query(this.#sql.all, [this.#now()]);
    const entries = rows.flatMap((row): [string, SessionDocument][] => {
      const document = ifReadable(() => parseDocument(String(row.document)));
      return document ? [[unescaped(String(row.sid)), document]] : [];
    });
    // fromEntries defines own properties, so that an id such as `__proto__` is one entry like any other.
    return Object.fromEntries(entries);
  }

  async count(): Promise<number> {
    const [row] = await this.#query(this.#sql.count, [this.#now()]);
    return Number(row?.count);
  }

  async clear(): Promise<void> {
    const withUsers = (await this.#tables.users?.find()) === true;
    await this.#query(this.#sql.clear(withUsers), [clearedMessage]);
  }

  async putTicket(id: string, value: string, expiresAt: number): Promise<void> {
    await this.#tables.tickets.make();
    await this.#query(this.#tables.ticketSql.put, [id, value, expiresAt]);
  }

  async takeTicket(id: string): Promise<string | null> {
    if (!(await this.#tables.tickets.find())) return null;
    const [row] = await this.#query(this.#tables.ticketSql.take, [id, this.#now()]);
    return row ? String(row.value) : null;
  }

  async close(): Promise<void> {
    this.#pool.removeListener?.("error", idleClientLost);
    this.#pruning.stop();
    await this.#feed.close();
  }

  get #sql() {
    return this.#tables.sql;
  }

  #now(): number {
    return this.#tables.clock.now();
  }

  #query(text: string, values: unknown[]): Promise<readonly Row[]> {
    return this.#tables.query(text, values);
  }

  /** The parameters for the user; empty if there is nothing to index. */
  async #userOf(user: string | undefined): Promise<[string] | []> {
    if (user === undefined || !this.#tables.users) return [];
    await this.#tables.users.make();
    return [storedUser(user)];
  }

  async #listByUser(user: string): Promise<UserSession[]> {
    if (!(await this.#tables.users?.find())) return [];
    const rows = await this.#query(this.#sql.listByUser, [storedUser(user), this.#now()]);
    return mapInTurns(rows, (row) => ({
      sid: unescaped(String(row.sid)),
      since: Number(row.since),
      stored: ifReadable(() => storedSession(row)),
    }));
  }
}

/** The pool replaces the client by itself. Without a listener, a restart of the database would end the Node process. */
function idleClientLost(error: Error): void {
  debug("an idle client of the pool was lost: %s", errorText(error));
}

function storedSession(row: Row): StoredSession {
  return {
    document: parseDocument(String(row.document)),
    expiresAt: Number(row.expires_at),
    revision: String(row.revision),
  };
}
