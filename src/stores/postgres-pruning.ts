/**
 * Removes what is over from the tables of `postgresStore`: expired sessions, and entries of the index of users. In
 * batches, so that no statement holds many rows for long; starts by itself, ends with `stop()`.
 */
import createDebug from "debug";
import type { ResolvedPostgresOptions } from "./postgres-options.ts";
import type { PostgresTables } from "./postgres-tables.ts";

const debug = createDebug("socket-session:store");

const rowsPerBatch = 500;

type Options = Pick<ResolvedPostgresOptions, "pruneDelayMs" | "errorLog">;

export class PostgresPruning {
  readonly #tables: PostgresTables;
  readonly #options: Options;
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(tables: PostgresTables, options: Options) {
    this.#tables = tables;
    this.#options = options;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(): void {
    const { pruneDelayMs } = this.#options;
    if (this.#stopped || pruneDelayMs === undefined) return;
    this.#cancel = this.#tables.clock.after(pruneDelayMs(), () => {
      this.#prune()
        // Nobody waits for this, and the next round tries again: whoever reads and writes is told of a broken database.
        .catch((error: unknown) => {
          debug("could not prune the session table: %O", error);
          this.#options.errorLog?.("Failed to prune sessions:", error);
        })
        .finally(() => this.#schedule());
    });
  }

  async #prune(): Promise<void> {
    const { sql } = this.#tables;
    await this.#inBatches(sql.pruneSessions);
    if (await this.#tables.findUsers()) await this.#inBatches(sql.pruneUsers);
  }

  async #inBatches(statement: string): Promise<void> {
    let removed = rowsPerBatch;
    while (removed >= rowsPerBatch && !this.#stopped) {
      const [row] = await this.#tables.query(statement, [this.#tables.clock.now(), rowsPerBatch]);
      removed = Number(row?.count);
    }
  }
}
