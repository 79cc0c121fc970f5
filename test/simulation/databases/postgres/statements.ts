/**
 * Executes the statements of `postgresStore`. SQL is not parsed: a statement is recognised by its text, which is that
 * of `sql.ts` for the same tables.
 */
import { createHash } from "node:crypto";
import { unescaped } from "../../../../src/stores/common/ids.ts";
import { PostgresSql } from "../../../../src/stores/postgres/sql.ts";
import type { PostgresServer } from "./server.ts";
import { ticketStatements } from "./ticket-statements.ts";

export type Row = Readonly<Record<string, unknown>>;

/** Runs at the server, for the process of that name. */
export type Statement = (server: PostgresServer, values: readonly unknown[], node: string) => readonly Row[];

const sql = new PostgresSql({ schemaName: undefined, tableName: "session", usersTableName: "session_users" });
const sessionsTable = sql.table;
const usersTable = sql.users ?? "";

/** By the table's identity. */
const channel = "socket_session_16384";

const columns: Readonly<Record<string, Row>> = {
  [sessionsTable]: { sid: "character varying", sess: "json", expire: "timestamp(6) without time zone" },
  [usersTable]: {
    ...{ user_id: "text", sid: "text" },
    ...{ since: "timestamp with time zone", expires_at: "timestamp with time zone" },
  },
};

export const statements: ReadonlyMap<string, Statement> = new Map<string, Statement>([
  [sql.read, (server, [sid, now], node) => read(server, [sid], now, node)],
  [sql.readMany, (server, [sids, now], node) => read(server, sids, now, node)],
  [sql.listByUser, listByUser],
  [sql.create(false), create],
  [sql.create(true), create],
  [sql.replace("none", true), (server, values) => replace(server, values, false)],
  [sql.replace("none", false), (server, values) => replace(server, values, false)],
  // without `expiresAt` where it is to be kept
  ...([true, false] as const).flatMap((keep) =>
    (["same", "new"] as const).map((kind): [string, Statement] => [
      sql.replace(kind, keep),
      (server, [sid, now, expected, document, message, user, expiresAt]) =>
        replace(server, [sid, now, expected, document, message, expiresAt, user], kind === "new"),
    ]),
  ),
  [sql.touch(false), touch],
  [sql.touch(true), touch],
  [sql.destroy(false), (server, values) => destroy(server, values, false)],
  [sql.destroy(true), (server, values) => destroy(server, values, true)],
  [sql.all, all],
  [sql.count, (server, [now]) => [{ count: String(live(server, now).length) }]],
  [sql.clear(false), (server, values) => clear(server, values, false)],
  [sql.clear(true), (server, values) => clear(server, values, true)],
  [sql.publish, (server, [message]) => notified(server, message)],
  [
    sql.channel,
    (server) => [
      {
        channel: server.hasTable(sessionsTable) ? channel : null,
        columns: columnsOf(server, sessionsTable),
      },
    ],
  ],
  [sql.columns, (server, [table]) => [{ columns: columnsOf(server, String(table)) }]],
  [sql.exists, (server, [table]) => [{ exists: String(server.hasTable(String(table))) }]],
  [sql.pruneSessions, pruneSessions],
  [sql.pruneUsers, pruneUsers],
  [sql.createTable, (server) => made(server, sessionsTable)],
  [sql.createUsers, (server) => made(server, usersTable)],
  ...ticketStatements,
]);

function read(server: PostgresServer, sids: unknown, now: unknown, node: string): Row[] {
  const asked = Array.isArray(sids) ? sids.map(String) : [];
  server.ledger.read(node, asked.length);
  const sessions = server.sessions(sessionsTable);
  return asked.flatMap((sid) => {
    const row = sessions.get(sid);
    return row && row.expire > Number(now) ? [{ sid, ...stored(row) }] : [];
  });
}

function listByUser(server: PostgresServer, [user, now]: readonly unknown[], node: string): Row[] {
  const sessions = server.sessions(sessionsTable);
  const rows = server.users(usersTable).entries.flatMap(([, entry]) => {
    const row = entry.user === user ? sessions.get(entry.sid) : undefined;
    if (!row || row.expire <= Number(now)) return [];
    return [{ sid: entry.sid, since: String(Math.round(entry.since)), ...stored(row) }];
  });
  server.ledger.read(node, rows.length);
  return rows;
}

function create(server: PostgresServer, [id, now, document, expiresAt, user]: readonly unknown[]): Row[] {
  const sessions = server.sessions(sessionsTable);
  if (user !== undefined) server.users(usersTable);
  const [sid, sess, expire] = [String(id), String(document), Number(expiresAt)];
  const before = sessions.get(sid);
  if (before && before.expire > Number(now)) return [];
  sessions.set(sid, { sess, expire });
  if (user !== undefined) list(server, { user: String(user), sid, since: Number(now), expiresAt: expire });
  server.ledger.stored(unescaped(sid), JSON.parse(sess), expire);
  return [{ revision: revision(sess) }];
}

/** Without `expiresAt` the life stays as it is. */
function replace(server: PostgresServer, values: readonly unknown[], isNewUser: boolean): Row[] {
  const [id, now, expected, document, message, expiresAt, user] = values;
  const sessions = server.sessions(sessionsTable);
  if (user !== undefined) server.users(usersTable);
  const [sid, sess] = [String(id), String(document)];
  const before = sessions.get(sid);
  if (!before || before.expire <= Number(now) || revision(before.sess) !== expected) return [];
  const expire = expiresAt === undefined ? before.expire : Number(expiresAt);
  sessions.set(sid, { sess, expire });
  if (user !== undefined) extendEntry(server, String(user), sid, Number(now), expire, isNewUser);
  server.ledger.stored(unescaped(sid), JSON.parse(sess), expire);
  server.notify(channel, String(message));
  return [{ revision: revision(sess), pg_notify: "" }];
}

function touch(server: PostgresServer, [id, now, expiresAt, user]: readonly unknown[], node: string): Row[] {
  const sessions = server.sessions(sessionsTable);
  if (user !== undefined) server.users(usersTable);
  const sid = String(id);
  const before = sessions.get(sid);
  if (!before || before.expire <= Number(now)) return [];
  const expire = Math.max(before.expire, Number(expiresAt));
  sessions.set(sid, { ...before, expire });
  if (user !== undefined) extendEntry(server, String(user), sid, Number(now), expire);
  server.ledger.touched(unescaped(sid), expire, node);
  return [{ "?column?": 1 }];
}

function destroy(
  server: PostgresServer,
  [id, now, message]: readonly unknown[],
  withUsers: boolean,
): readonly Row[] {
  const sessions = server.sessions(sessionsTable);
  const users = withUsers ? server.users(usersTable) : undefined;
  const sid = String(id);
  const before = sessions.get(sid);
  if (!before || before.expire <= Number(now)) return [];
  sessions.delete(sid);
  for (const [key, entry] of users?.entries ?? []) if (entry.sid === sid) users?.delete(key);
  server.ledger.removed(unescaped(sid));
  return notified(server, message);
}

function all(server: PostgresServer, [now]: readonly unknown[], node: string): Row[] {
  const rows = live(server, now);
  server.ledger.read(node, rows.length);
  return rows.map(([sid, { sess }]) => ({ sid, document: sess }));
}

function clear(server: PostgresServer, [message]: readonly unknown[], withUsers: boolean): readonly Row[] {
  const sessions = server.sessions(sessionsTable);
  const users = withUsers ? server.users(usersTable) : undefined;
  for (const [sid] of sessions.entries) {
    sessions.delete(sid);
    server.ledger.removed(unescaped(sid));
  }
  for (const [key] of users?.entries ?? []) users?.delete(key);
  return notified(server, message);
}

/** Removes expired sessions. That is not an end: they ended before. */
function pruneSessions(server: PostgresServer, [now, limit]: readonly unknown[]): Row[] {
  const sessions = server.sessions(sessionsTable);
  const over = sessions.entries
    .filter(([, { expire }]) => expire <= Number(now))
    .sort(([, a], [, b]) => a.expire - b.expire)
    .slice(0, Number(limit));
  for (const [sid] of over) sessions.delete(sid);
  return [{ count: String(over.length) }];
}

function pruneUsers(server: PostgresServer, [now, limit]: readonly unknown[]): Row[] {
  const [sessions, users] = [server.sessions(sessionsTable), server.users(usersTable)];
  const isLive = (sid: string) => (sessions.get(sid)?.expire ?? 0) > Number(now);
  const over = users.entries
    .filter(([, { sid, expiresAt }]) => expiresAt <= Number(now) && !isLive(sid))
    .slice(0, Number(limit));
  for (const [key] of over) users.delete(key);
  return [{ count: String(over.length) }];
}

function live(server: PostgresServer, now: unknown) {
  return server.sessions(sessionsTable).entries.filter(([, { expire }]) => expire > Number(now));
}

function stored({ sess, expire }: { sess: string; expire: number }): Row {
  return { document: sess, expires_at: String(Math.round(expire)), revision: revision(sess) };
}

function revision(sess: string): string {
  return createHash("sha256").update(sess).digest("hex");
}

interface Entry {
  readonly user: string;
  readonly sid: string;
  readonly since: number;
  readonly expiresAt: number;
}

function list(server: PostgresServer, entry: Entry): void {
  server.users(usersTable).set(JSON.stringify([entry.user, entry.sid]), entry);
}

/** Unless the user is new, `since` stays where the session is listed for them already; its life is never made shorter. */
function extendEntry(
  server: PostgresServer,
  user: string,
  sid: string,
  now: number,
  expiresAt: number,
  isNewUser = false,
): void {
  const before = server.users(usersTable).get(JSON.stringify([user, sid]));
  if (!before || isNewUser)
    list(server, { user, sid, since: now, expiresAt: Math.max(expiresAt, before?.expiresAt ?? 0) });
  else if (before.expiresAt < expiresAt) list(server, { ...before, expiresAt });
}

function notified(server: PostgresServer, message: unknown): Row[] {
  server.notify(channel, String(message));
  return [{ pg_notify: "" }];
}

function columnsOf(server: PostgresServer, table: string): string | null {
  return server.hasTable(table) ? JSON.stringify(columns[table]) : null;
}

function made(server: PostgresServer, table: string): Row[] {
  server.createTable(table);
  return [];
}
