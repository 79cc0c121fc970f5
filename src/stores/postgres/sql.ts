/**
 * The statements of `postgresStore`, for the tables of one store. The session table is connect-pg-simple's:
 *
 * ```sql
 * CREATE TABLE "session" ("sid" varchar PRIMARY KEY, "sess" json NOT NULL, "expire" timestamp(6) NOT NULL)
 * ```
 *
 * - Each operation is one statement, and so atomic. The condition of a write is in the WHERE of the same UPDATE or DELETE:
 *   after it has waited for another writer's lock, the database checks it again on the current row (READ COMMITTED).
 * - The column has no time zone: times are written and read in the connection's, as in connect-pg-simple.
 * - Statements convert their results to text or numbers, so that the pool's type parsers don't matter.
 */
import { maxNameBytes, quotedIdentifier, quotedLiteral, quotedTable, time } from "./terms.ts";

interface PostgresNames {
  readonly schemaName: string | undefined;
  readonly tableName: string;
  readonly usersTableName: string | undefined;
}

/** Exports only whole statements; the comment of each lists its parameters. */
export class PostgresSql {
  readonly table: string;
  /** Undefined: there is no index of users. */
  readonly users: string | undefined;
  readonly #names: PostgresNames;
  readonly #channel: string;

  constructor(names: PostgresNames) {
    const { schemaName, tableName, usersTableName } = names;
    this.#names = names;
    this.table = quotedTable(schemaName, tableName);
    this.users = usersTableName === undefined ? undefined : quotedTable(schemaName, usersTableName);
    // From the table's oid, so that a node that names the schema shares the channel with one that uses its search path.
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

  /** 1 sid, 2 now, 3 document, 4 expiresAt, 5 user. Replaces an expired session, never a live one. */
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
  replace(user: "none" | "same" | "new", keep: boolean): string {
    const withUser = user !== "none";
    const onConflict = user === "new" ? renewed : extended;
    return `
      WITH written AS (
        UPDATE ${this.table} s SET sess = $4${keep ? "" : `, expire = ${time(withUser ? 7 : 6)}`}
        WHERE s.sid = $1 AND s.expire > ${time(2)} AND ${revision("s")} = $3
        RETURNING s.sid, s.expire, ${revision("s")} AS revision
      ) ${withUser ? this.#listed("$6", onConflict) : ""}
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

  /** 1 sid, 2 now, 3 message. An entry that a concurrent transaction adds is left over, and pruned later. */
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

  /** 1 now, 2 limit. Leaves rows that are being written for the next round. */
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

  /** 1 now, 2 limit. connect-pg-simple extends sessions but not their entries, so the session's own time decides. */
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

  /** As connect-pg-simple creates it, with the same names if the table has the standard name. */
  get createTable(): string {
    return `CREATE TABLE ${this.table} (
  "sid" varchar NOT NULL COLLATE "default" PRIMARY KEY,
  "sess" json NOT NULL,
  "expire" timestamp(6) NOT NULL
);
CREATE INDEX ${this.#indexName} ON ${this.table} ("expire");`;
  }

  /** Empty if the name would be cut off and might then be another table's: the database chooses a name. */
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

  /** Adds the `written` session to the index, in the same statement. */
  #listed(user: string, onConflict: string): string {
    return `, listed AS (
        INSERT INTO ${this.users} AS u (user_id, sid, since, expires_at)
        SELECT ${user}::text, sid, ${time(2)}, expire FROM written
        ON CONFLICT (user_id, sid) DO UPDATE SET ${onConflict}
      )`;
  }
}

/** The entry is left from an earlier login. */
const renewed = "since = excluded.since, expires_at = greatest(u.expires_at, excluded.expires_at)";

/** `since` stays: the session was this user's already. */
const extended = "expires_at = excluded.expires_at WHERE u.expires_at < excluded.expires_at";

function columnsOf(table: string): string {
  return `(SELECT json_object_agg(attname, format_type(atttypid, atttypmod))::text FROM pg_attribute
    WHERE attrelid = to_regclass(${table}) AND attnum > 0 AND NOT attisdropped)`;
}

function milliseconds(column: string): string {
  return `round(extract(epoch FROM ${column}::timestamptz) * 1000)::text`;
}

/** The hash of the stored text: `json` keeps the text as written, `jsonb` normalises it. */
function revision(alias: string): string {
  return `encode(sha256(convert_to(${alias}.sess::text, 'UTF8')), 'hex')`;
}

function stored(alias: string): string {
  return `${alias}.sess::text AS document, ${milliseconds(`${alias}.expire`)} AS expires_at, ${revision(alias)} AS revision`;
}
