/**
 * The statements of `postgresStore`, for the tables of one store. The session table is connect-pg-simple's:
 *
 * ```sql
 * CREATE TABLE "session" ("sid" varchar PRIMARY KEY, "sess" json NOT NULL, "expire" timestamp(6) NOT NULL)
 * ```
 *
 * - Each operation is one statement, and so atomic. What decides whether a row is written stands in the WHERE of its
 *   own UPDATE or DELETE: after it has waited for another writer's lock, the database checks that on the row as it is
 *   by then (READ COMMITTED).
 * - The column has no time zone: a time goes in and comes out by the connection's, as the peer's does.
 * - Results are text or numbers of the statement's own making, whatever parsers of types the pool has.
 */

interface PostgresNames {
  readonly schemaName: string | undefined;
  readonly tableName: string;
  readonly usersTableName: string | undefined;
}

/** Only whole statements leave this file; the parameters of each are at its method. */
export class PostgresSql {
  readonly table: string;
  /** Undefined: there is no index of users. */
  readonly users: string | undefined;
  readonly #names: PostgresNames;
  readonly #channel: string;

  constructor(names: PostgresNames) {
    const quoted = (name: string) =>
      names.schemaName === undefined
        ? quotedIdentifier(name)
        : `${quotedIdentifier(names.schemaName)}.${quotedIdentifier(name)}`;
    this.#names = names;
    this.table = quoted(names.tableName);
    this.users = names.usersTableName === undefined ? undefined : quoted(names.usersTableName);
    // By the table's identity: a node that names the schema and one that finds it by its search path share a channel.
    this.#channel = `('socket_session_' || to_regclass(${quotedLiteral(this.table)})::oid)`;
  }

  /** 1 sid, 2 now */
  get read(): string {
    return `SELECT ${stored("s")} FROM ${this.table} s WHERE s.sid = $1 AND s.expire > ${time(2)}`;
  }

  /** 1 sids, 2 now */
  get readMany(): string {
    return `SELECT s.sid, ${stored("s")} FROM ${this.table} s WHERE s.sid = ANY($1) AND s.expire > ${time(2)}`;
  }

  /** 1 user, 2 now */
  get listByUser(): string {
    return `
      SELECT s.sid, ${milliseconds("u.since")} AS since, ${stored("s")}
      FROM ${this.users} u JOIN ${this.table} s ON s.sid = u.sid
      WHERE u.user_id = $1 AND s.expire > ${time(2)}`;
  }

  /** 1 sid, 2 now, 3 document, 4 expiresAt, 5 user. Takes the place of an expired session, never that of a live one. */
  create(withUser: boolean): string {
    return `
      WITH written AS (
        INSERT INTO ${this.table} AS s (sid, sess, expire) VALUES ($1, $3, ${time(4)})
        ON CONFLICT (sid) DO UPDATE SET sess = excluded.sess, expire = excluded.expire
          WHERE s.expire <= ${time(2)}
        RETURNING s.sid, s.expire, ${revision("s")} AS revision
      ) ${withUser ? this.#listed("$5", "since = excluded.since, expires_at = excluded.expires_at") : ""}
      SELECT revision FROM written`;
  }

  /** 1 sid, 2 now, 3 expected, 4 document, 5 message, 6 user, 7 expiresAt */
  replace(withUser: boolean, keep: boolean): string {
    const user = withUser ? "$6" : undefined;
    return `
      WITH written AS (
        UPDATE ${this.table} s SET sess = $4${keep ? "" : `, expire = ${time(withUser ? 7 : 6)}`}
        WHERE s.sid = $1 AND s.expire > ${time(2)} AND ${revision("s")} = $3
        RETURNING s.sid, s.expire, ${revision("s")} AS revision
      ) ${user ? this.#listed(user, extended) : ""}
      SELECT revision, pg_notify(${this.#channel}, $5) FROM written`;
  }

  /** 1 sid, 2 now, 3 expiresAt, 4 user */
  touch(withUser: boolean): string {
    return `
      WITH written AS (
        UPDATE ${this.table} s SET expire = greatest(s.expire, ${time(3)})
        WHERE s.sid = $1 AND s.expire > ${time(2)}
        RETURNING s.sid, s.expire
      ) ${withUser ? this.#listed("$4", extended) : ""}
      SELECT 1 FROM written`;
  }

  /** 1 sid, 2 now, 3 message. An entry that another transaction adds meanwhile is one too many, and pruned in time. */
  destroy(withUsers: boolean): string {
    return `
      WITH gone AS (
        DELETE FROM ${this.table} s WHERE s.sid = $1 AND s.expire > ${time(2)} RETURNING s.sid
      ) ${withUsers ? `, unlisted AS (DELETE FROM ${this.users} WHERE sid IN (SELECT sid FROM gone))` : ""}
      SELECT pg_notify(${this.#channel}, $3) FROM gone`;
  }

  /** 1 now */
  get all(): string {
    return `SELECT s.sid, s.sess::text AS document FROM ${this.table} s WHERE s.expire > ${time(1)}`;
  }

  /** 1 now */
  get count(): string {
    return `SELECT count(*)::text AS count FROM ${this.table} s WHERE s.expire > ${time(1)}`;
  }

  /** 1 message */
  clear(withUsers: boolean): string {
    return `
      WITH gone AS (DELETE FROM ${this.table})
      ${withUsers ? `, unlisted AS (DELETE FROM ${this.users})` : ""}
      SELECT pg_notify(${this.#channel}, $1)`;
  }

  /** 1 message */
  get publish(): string {
    return `SELECT pg_notify(${this.#channel}, $1)`;
  }

  /** The name of the channel, null if there is no table; and the types of the table's columns, as JSON. */
  get channel(): string {
    return `SELECT ${this.#channel} AS channel, ${columnsOf(quotedLiteral(this.table))} AS columns`;
  }

  /** 1 quoted name of a table */
  get columns(): string {
    return `SELECT ${columnsOf("$1::text")} AS columns`;
  }

  /** 1 quoted name of a table */
  get exists(): string {
    return "SELECT (to_regclass($1::text) IS NOT NULL)::text AS exists";
  }

  /** 1 now, 2 limit. A row that somebody writes to at the moment is left for the next round. */
  get pruneSessions(): string {
    const over = `expire <= ${time(1)}`;
    return `
      WITH gone AS (
        DELETE FROM ${this.table} WHERE ${over} AND sid = ANY(ARRAY(
          SELECT sid FROM ${this.table} WHERE ${over} ORDER BY expire LIMIT $2 FOR UPDATE SKIP LOCKED))
        RETURNING 1
      )
      SELECT count(*)::text AS count FROM gone`;
  }

  /** 1 now, 2 limit. The other package extends sessions, and does not know of entries: the session itself decides. */
  get pruneUsers(): string {
    const over = `expires_at <= ${time(1)}`;
    return `
      WITH gone AS (
        DELETE FROM ${this.users} WHERE ${over} AND ctid = ANY(ARRAY(
          SELECT u.ctid FROM ${this.users} u WHERE u.${over}
            AND NOT EXISTS (SELECT FROM ${this.table} s WHERE s.sid = u.sid AND s.expire > ${time(1)})
          LIMIT $2))
        RETURNING 1
      )
      SELECT count(*)::text AS count FROM gone`;
  }

  /** What connect-pg-simple makes, under the same names where the table has its standard one. */
  get createTable(): string {
    return `CREATE TABLE ${this.table} (
  "sid" varchar NOT NULL COLLATE "default" PRIMARY KEY,
  "sess" json NOT NULL,
  "expire" timestamp(6) NOT NULL
);
CREATE INDEX ${this.#indexName} ON ${this.table} ("expire");`;
  }

  /** Empty where it would be cut off, and then be another table's: the database chooses one. */
  get #indexName(): string {
    const name = `IDX_${this.#names.tableName}_expire`;
    return Buffer.byteLength(name) <= maxNameBytes ? quotedIdentifier(name) : "";
  }

  get createUsers(): string {
    return `CREATE TABLE ${this.users} (
  "user_id" text NOT NULL,
  "sid" text NOT NULL,
  "since" timestamptz NOT NULL,
  "expires_at" timestamptz NOT NULL,
  PRIMARY KEY ("user_id", "sid")
);
CREATE INDEX ON ${this.users} ("sid");
CREATE INDEX ON ${this.users} ("expires_at");`;
  }

  /** Enters what was `written` in the index, in the same statement. */
  #listed(user: string, onConflict: string): string {
    return `, listed AS (
        INSERT INTO ${this.users} AS u (user_id, sid, since, expires_at)
        SELECT ${user}::text, sid, ${time(2)}, expire FROM written
        ON CONFLICT (user_id, sid) DO UPDATE SET ${onConflict}
      )`;
  }
}

/** `since` stays: it has been this user's already. */
const extended = "expires_at = excluded.expires_at WHERE u.expires_at < excluded.expires_at";

/** A parameter in milliseconds since the epoch as a time. Never `now()`: the store's clock decides. */
function time(parameter: number): string {
  return `to_timestamp($${parameter}::float8 / 1000)`;
}

function columnsOf(table: string): string {
  return `(SELECT json_object_agg(attname, format_type(atttypid, atttypmod))::text FROM pg_attribute
    WHERE attrelid = to_regclass(${table}) AND attnum > 0 AND NOT attisdropped)`;
}

function milliseconds(column: string): string {
  return `round(extract(epoch FROM ${column}::timestamptz) * 1000)::text`;
}

/** Of what is stored, as the database writes it: `json` keeps the text, `jsonb` makes its own. */
function revision(alias: string): string {
  return `encode(sha256(convert_to(${alias}.sess::text, 'UTF8')), 'hex')`;
}

function stored(alias: string): string {
  return `${alias}.sess::text AS document, ${milliseconds(`${alias}.expire`)} AS expires_at, ${revision(alias)} AS revision`;
}

/** Longer names are cut off by the database. */
export const maxNameBytes = 63;

/** As `escapeIdentifier` of `pg`: `a"b` becomes `"a""b"`. For names inside a statement, where no parameter can stand. */
function quotedIdentifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** As `escapeLiteral` of `pg`: `it's` becomes `'it''s'`. Safe whatever `standard_conforming_strings` says. */
function quotedLiteral(text: string): string {
  const quoted = `'${text.replaceAll("'", "''").replaceAll("\\", "\\\\")}'`;
  return text.includes("\\") ? ` E${quoted}` : quoted;
}
