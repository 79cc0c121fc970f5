/**
 * The tables of `postgresStore`: runs every statement of the store, creates the tables once if the options allow it, and
 * explains errors with their cure.
 */
import type { Clock } from "../../base/clock.ts";
import { errorText, SocketSessionError } from "../../base/errors.ts";
import { property } from "../../base/shapes.ts";
import { LazyTable } from "./lazy-table.ts";
import type { ResolvedPostgresOptions } from "./options.ts";
import { mayBeOfShape, shapeError, shapes } from "./shape.ts";
import { PostgresSql } from "./sql.ts";
import { PostgresTicketSql } from "./ticket-sql.ts";

export type Row = Readonly<Record<string, unknown>>;

type Options = Pick<
  ResolvedPostgresOptions,
  "pool" | "clock" | "schemaName" | "tableName" | "usersTableName" | "createTableIfMissing"
>;

const undefinedTable = "42P01";
const missingSchema = "3F000";
/** Errors that prevent a table from being created: a syntax or access rule (42), the schema, a read-only server (25). */
const ofMaking = /^(42|3F|25)/;

/** The error of an operation whose table is missing and can't be created. */
interface NoTable {
  readonly code: "STORE_OPEN" | "STORE_UNSUPPORTED";
  readonly otherCure?: string;
}

const noSessions: NoTable = { code: "STORE_OPEN" };
const noUsers: NoTable = {
  code: "STORE_OPEN",
  otherCure: "Do without an index of users by userIndex: false. ",
};
const noTickets: NoTable = { code: "STORE_UNSUPPORTED" };

export class PostgresTables {
  readonly sql: PostgresSql;
  readonly ticketSql: PostgresTicketSql;
  /** Undefined: there is no index of users. */
  readonly users: LazyTable | undefined;
  readonly tickets: LazyTable;
  readonly #sessions: LazyTable;
  readonly #options: Options;

  constructor(options: Options) {
    this.#options = options;
    this.sql = new PostgresSql(options);
    this.ticketSql = new PostgresTicketSql(options);
    const lazy = (table: string, create: () => Promise<void>) =>
      new LazyTable(() => this.#exists(table), create);
    const { table, createTable, users, createUsers } = this.sql;
    this.#sessions = lazy(table, () => this.#make(table, createTable));
    this.users = users === undefined ? undefined : lazy(users, () => this.#make(users, createUsers, noUsers));
    this.tickets = lazy(this.ticketSql.table, () => this.#makeTickets());
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Returns the rows. One round trip, once the tables are known to exist. */
  async query(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      if (this.#options.createTableIfMissing) await this.#sessions.make();
      const { rows } = await this.#options.pool.query(text, values);
      return rows.filter(isRow);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  async channel(): Promise<string> {
    const [row] = await this.query(this.sql.channel, []);
    const wrong = shapeError(this.sql.table, row?.columns, shapes.sessions);
    if (wrong) throw wrong;
    if (typeof row?.channel === "string") return row.channel;
    throw this.#missing();
  }

  async #makeTickets(): Promise<void> {
    const { table, createTable } = this.ticketSql;
    if (this.#options.createTableIfMissing) return this.#make(table, createTable, noTickets);
    if (await this.#exists(table)) return;
    const cure = `Set createTableIfMissing: true, or run:\n${createTable}`;
    throw new SocketSessionError(
      noTickets.code,
      `postgresStore() found no table ${table} for tickets. ${cure}`,
    );
  }

  /**
   * Checks first whether the table exists: a role that may use it may not be allowed to create it. Rejects with the
   * database's error if the check fails.
   */
  async #make(table: string, definition: string, { code, otherCure = "" } = noSessions): Promise<void> {
    if (await this.#exists(table)) return;
    try {
      await this.#options.pool.query(definition);
    } catch (cause) {
      // Another process may have created it concurrently, which raises one of several errors.
      if (await this.#exists(table)) return;
      const refusal = isRow(cause) ? String(cause.code) : "";
      if (!ofMaking.test(refusal)) throw cause;
      const isSchema = refusal === missingSchema;
      const cure = isSchema
        ? "Correct `schemaName`, or make the schema and run this"
        : "Run this as a role that may";
      throw new SocketSessionError(
        code,
        `postgresStore() found no table ${table}, and could not make it (${errorText(cause)}). ${otherCure}${cure}:\n${definition}`,
        { cause },
      );
    }
  }

  async #exists(table: string): Promise<boolean> {
    const { rows } = await this.#options.pool.query(this.sql.exists, [table]);
    return rows.some((row) => isRow(row) && row.exists === "true");
  }

  async #explained(error: unknown): Promise<unknown> {
    if (hasEnded(this.#options.pool)) return endedPool(error);
    const code = isRow(error) ? error.code : undefined;
    if (mayBeOfShape(code)) return (await this.#otherShape(error)) ?? error;
    if (code !== undefinedTable) return error;
    // A table was dropped: forget that it existed.
    for (const table of [this.#sessions, this.users, this.tickets]) table?.forget();
    return this.#missing(error);
  }

  async #otherShape(cause: unknown): Promise<SocketSessionError | undefined> {
    const { table, users } = this.sql;
    const sessions = shapeError(table, await this.#columns(table), shapes.sessions, cause);
    if (sessions || users === undefined) return sessions;
    return shapeError(users, await this.#columns(users), shapes.users, cause);
  }

  async #columns(table: string): Promise<unknown> {
    const { rows } = await this.#options.pool.query(this.sql.columns, [table]);
    return rows.find(isRow)?.columns;
  }

  #missing(cause?: unknown): SocketSessionError {
    return new SocketSessionError(
      "STORE_OPEN",
      `postgresStore() expects a table ${this.sql.table}; a table is missing${cause === undefined ? "" : ` (${errorText(cause)})`}. ` +
        `Set createTableIfMissing: true, or run:\n${this.sql.createTable}`,
      { cause },
    );
  }
}

/** Asks the pool, since its error has no code. */
function hasEnded(pool: object): boolean {
  return property(pool, "ended") === true || property(pool, "ending") === true;
}

function endedPool(cause: unknown): SocketSessionError {
  const message =
    "postgresStore() expects a pool that is open; it was one that has been ended. End it after sessions.close().";
  return new SocketSessionError("STORE_OPEN", message, { cause });
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}
