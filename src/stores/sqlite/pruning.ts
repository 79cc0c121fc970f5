/**
 * Removes expired sessions and tickets from a session file, and rows of the change feed that every living process has long
 * read. It works in small batches with turns of the event loop in between. Starts by itself, ends with `stop()`.
 */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText } from "../../base/errors.ts";
import type { LockQueue } from "./lock-queue.ts";
import type { SqliteTables } from "./tables.ts";

const debug = createDebug("socket-session:store");

const changesKeptMs = 10 * 60_000;
const sessionsPerBatch = 50;
const smallRowsPerBatch = 500;

export class SqlitePruning {
  readonly #tables: SqliteTables;
  readonly #queue: LockQueue;
  readonly #clock: Clock;
  readonly #intervalMs: number;
  #stopped = false;
  #cancel: () => void = () => {};

  constructor(tables: SqliteTables, queue: LockQueue, clock: Clock, intervalMs: number) {
    this.#tables = tables;
    this.#queue = queue;
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#schedule();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #schedule(): void {
    this.#cancel = this.#clock.after(this.#intervalMs, () => {
      this.#prune()
        // No caller awaits this, and the next round tries again. Reads and writes report a broken file.
        .catch((error: unknown) => debug("could not prune the session file: %s", errorText(error)))
        .finally(() => {
          if (!this.#stopped) this.#schedule();
        });
    });
  }

  async #prune(): Promise<void> {
    await this.#inBatches(sessionsPerBatch, (limit) => this.#tables.pruneSessions(limit));
    await this.#inBatches(smallRowsPerBatch, (limit) => this.#tables.pruneTickets(limit));
    await this.#inBatches(smallRowsPerBatch, (limit) => this.#tables.pruneChanges(changesKeptMs, limit));
  }

  async #inBatches(limit: number, removeSome: (limit: number) => number): Promise<void> {
    let removed = limit;
    while (removed >= limit && !this.#stopped) removed = await this.#queue.run(() => removeSome(limit));
  }
}
