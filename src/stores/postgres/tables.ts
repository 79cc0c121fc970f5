/**
 * The tables of `postgresStore`: runs every statement of the store, creates the tables once if the options allow it, and
 * explains errors with their cure.
 */
import type { Clock } from "../../base/clock.ts";
import { errorText, SocketSessionError } from "../../base/errors.ts";
import { property } from "../../base/shapes.ts";
import type { ResolvedPostgresOptions } from "./options.ts";
import { mayBeOfShape, shapeError, shapes } from "./shape.ts";
import { PostgresSql } from "./sql.ts";

export type Row = Readonly<Record<string, unknown>>;

type Options = Pick<
  ResolvedPostgresOptions,
  "pool" | "clock" | "schemaName" | "tableName" | "usersTableName" | "createTableIfMissing"
>;

const undefinedTable = "42P01";
const missingSchema = "3F000";
/** Errors that prevent a table from being created: a syntax or access rule (42), the schema, a read-only server (25). */
const ofMaking = /^(42|3F|25)/;

export class PostgresTables {
  readonly sql: PostgresSql;
  readonly #options: Options;
  #table: Promise<void> | undefined;
  #users: Promise<void> | undefined;
  #hasUsers = false;

  constructor(options: Options) {
    this.#options = options;
    this.sql = new PostgresSql(options);
  }

  get clock(): Clock {
    return this.#options.clock;
  }

  /** Whether this process has seen the table of users. */
  get hasUsers(): boolean {
    return this.#hasUsers;
  }

  /** Returns the rows. One round trip, once the tables are known to exist. */
  async query(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      if (this.#options.createTableIfMissing) await this.#ready();
      const { rows } = await this.#options.pool.query(text, values);
      return rows.filter(isRow);
    } catch (error) {
      throw await this.#explained(error);
    }
  }

  /** Whether there is a table of users, whichever process created it. */
  async findUsers(): Promise<boolean> {
    const { users } = this.sql;
    if (users !== undefined && !this.#hasUsers) this.#hasUsers = await this.#exists(users);
    return this.#hasUsers;
  }

  /** Creates the table of users if it is missing. */
  async makeUsers(): Promise<void> {
    this.#users ??= this.#makeUsers();
    try {
      await this.#users;
    } catch (error) {
      this.#users = undefined; // another process or an administrator may create it
      throw error;
    }
  }

  async channel(): Promise<string> {
    const [row] = await this.query(this.sql.channel, []);
    const wrong = shapeError(this.sql.table, row?.columns, shapes.sessions);
    if (wrong) throw wrong;
    if (typeof row?.channel === "string") return row.channel;
    throw this.#missing();
  }

  async #ready(): Promise<void> {
    this.#table ??= this.#make(this.sql.table, this.sql.createTable, "");
    try {
      await this.#table;
    } catch (error) {
      this.#table = undefined;
      throw error;
    }
  }

  async #makeUsers(): Promise<void> {
    const { users } = this.sql;
    if (users === undefined) return;
    await this.#make(users, this.sql.createUsers, "Do without an index of users by userIndex: false. ");
    this.#hasUsers = true;
  }

  /**
   * Checks first whether the table exists: a role that may use it may not be allowed to create it. Rejects with the
   * database's error if the check fails.
   */
  async #make(table: string, definition: string, otherCure: string): Promise<void> {
    if (await this.#exists(table)) return;
    try {
      await this.#options.pool.query(definition);
    } catch (cause) {
      // Another process may have created it concurrently, which raises one of several errors.
      if (await this.#exists(table)) return;
      const code = isRow(cause) ? String(cause.code) : "";
      if (!ofMaking.test(code)) throw cause;
      const isSchema = code === missingSchema;
      const cure = isSchema
        ? "Correct `schemaName`, or make the schema and run this"
        : "Run this as a role that may";
      throw new SocketSessionError(
        "STORE_OPEN",
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
    // The table was dropped: forget that it existed.
    this.#table = undefined;
    this.#users = undefined;
    this.#hasUsers = false;
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
