/**
 * The tables of `postgresStore`, and the way to them: makes them where it is to, once, and says what to do where it
 * can't. Every statement of the store passes here.
 */
import type { Clock } from "../clock.ts";
import { errorText, SocketSessionError } from "../errors.ts";
import type { ResolvedPostgresOptions } from "./postgres-options.ts";
import { PostgresSql } from "./postgres-sql.ts";

export type Row = Readonly<Record<string, unknown>>;

type Options = Pick<
  ResolvedPostgresOptions,
  "pool" | "clock" | "schemaName" | "tableName" | "usersTableName" | "createTableIfMissing"
>;

const undefinedTable = "42P01";

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

  /** The rows; one round trip once the tables are known to be there. */
  async query(text: string, values: unknown[]): Promise<readonly Row[]> {
    try {
      if (this.#options.createTableIfMissing) await this.#ready();
      const { rows } = await this.#options.pool.query(text, values);
      return rows.filter(isRow);
    } catch (error) {
      throw this.#explained(error);
    }
  }

  /** Whether there is a table of users, made by whichever process. */
  async findUsers(): Promise<boolean> {
    const { users } = this.sql;
    if (users !== undefined && !this.#hasUsers) this.#hasUsers = await this.#exists(users);
    return this.#hasUsers;
  }

  /** Makes the table of users if there is none. */
  async makeUsers(): Promise<void> {
    this.#users ??= this.#makeUsers();
    try {
      await this.#users;
    } catch (error) {
      this.#users = undefined; // somebody may make it meanwhile
      throw error;
    }
  }

  async channel(): Promise<string> {
    const [row] = await this.query(this.sql.channel, []);
    if (typeof row?.channel === "string") return row.channel;
    throw this.#missing();
  }

  async #ready(): Promise<void> {
    this.#table ??= this.#make(this.sql.table, this.sql.createTable);
    try {
      await this.#table;
    } catch (cause) {
      this.#table = undefined;
      throw new SocketSessionError(
        "STORE_OPEN",
        `postgresStore found no table ${this.sql.table}, and could not make it. Run this as a role that may:\n${this.sql.createTable}`,
        { cause },
      );
    }
  }

  async #makeUsers(): Promise<void> {
    if (this.sql.users === undefined) return;
    try {
      await this.#make(this.sql.users, this.sql.createUsers);
      this.#hasUsers = true;
    } catch (cause) {
      throw new SocketSessionError(
        "STORE_OPEN",
        `postgresStore found no table ${this.sql.users} for the index of users, and could not make it. ` +
          `Do without by userIndex: false, or run this as a role that may:\n${this.sql.createUsers}`,
        { cause },
      );
    }
  }

  /** Asks first, as a role that may use the table need not be one that may make it. */
  async #make(table: string, definition: string): Promise<void> {
    if (await this.#exists(table)) return;
    try {
      await this.#options.pool.query(definition);
    } catch (error) {
      // Another process may have made it at the same moment: that ends in one of several errors.
      if (!(await this.#exists(table))) throw error;
    }
  }

  async #exists(table: string): Promise<boolean> {
    const { rows } = await this.#options.pool.query(this.sql.exists, [table]);
    return rows.some((row) => isRow(row) && row.exists === "true");
  }

  #explained(error: unknown): unknown {
    if (!isRow(error) || error.code !== undefinedTable) return error;
    // It was there: one that was dropped is looked for anew.
    this.#table = undefined;
    this.#users = undefined;
    this.#hasUsers = false;
    return this.#missing(error);
  }

  #missing(cause?: unknown): SocketSessionError {
    return new SocketSessionError(
      "STORE_OPEN",
      `postgresStore expected a table ${this.sql.table}, but a table is missing${cause === undefined ? "" : ` (${errorText(cause)})`}. ` +
        `Set createTableIfMissing: true, or run:\n${this.sql.createTable}`,
      { cause },
    );
  }
}

function isRow(value: unknown): value is Row {
  return typeof value === "object" && value !== null;
}
