/**
 * Removes expired sessions, their entries in the index of users, and expired tickets from the tables of `postgresStore`. It
 * works in batches, so that no statement locks many rows for long. Starts by itself, ends with `stop()`.
 */
import createDebug from "debug";
import { errorText } from "../../base/errors.ts";
import type { ResolvedPostgresOptions } from "./options.ts";
import type { PostgresTables } from "./tables.ts";

const debug = createDebug("socket-session:store");

const rowsPerBatch = 500;

type Options = Pick<ResolvedPostgresOptions, "pruneDelayMs" | "errorLog">;

export class PostgresPruning {
  readonly #tables: PostgresTables;
  readonly #options: Options;
  #delayMs = 0;
  #stopped = false;
  #cancel: () => void = () => {};

  /** Throws if `pruneDelayMs` throws. */
  constructor(tables: PostgresTables, options: Options) {
    this.#tables = tables;
    this.#options = options;
    const { pruneDelayMs } = options;
    if (pruneDelayMs === undefined) return;
    this.#delayMs = pruneDelayMs();
    this.#schedule(pruneDelayMs);
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(pruneDelayMs: () => number): void {
    if (this.#stopped) return;
    this.#cancel = this.#tables.clock.after(this.#delayMs, () => void this.#round(pruneDelayMs));
  }

  /** Never rejects: no caller awaits it, and the next round tries again. Reads and writes report a broken database. */
  async #round(pruneDelayMs: () => number): Promise<void> {
    try {
      await this.#prune();
    } catch (error) {
      this.#report("Failed to prune sessions:", error);
    }
    try {
      this.#delayMs = pruneDelayMs();
    } catch (error) {
      this.#report("Failed to choose when to prune sessions, which is as long as before:", error);
    }
    this.#schedule(pruneDelayMs);
  }

  /** Neither throws nor waits, whatever `errorLog` does. */
  #report(message: string, error: unknown): void {
    debug("%s %s", message, errorText(error));
    const logged = new Promise((settle) => settle(this.#options.errorLog?.(message, error)));
    logged.catch((failure: unknown) => debug("errorLog failed: %s", errorText(failure)));
  }

  async #prune(): Promise<void> {
    const { sql, ticketSql, users, tickets } = this.#tables;
    await this.#inBatches(sql.pruneSessions);
    if (await users?.find()) await this.#inBatches(sql.pruneUsers);
    if (await tickets.find()) await this.#inBatches(ticketSql.prune);
  }

  async #inBatches(statement: string): Promise<void> {
    let removed = rowsPerBatch;
    while (removed >= rowsPerBatch && !this.#stopped) {
      const [row] = await this.#tables.query(statement, [this.#tables.clock.now(), rowsPerBatch]);
      removed = Number(row?.count);
    }
  }
}
