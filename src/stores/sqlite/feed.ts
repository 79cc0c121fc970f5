/**
 * The change feed of a session file: reads the rows that writers in all processes insert into `changes`, and delivers them
 * in commit order.
 *
 * While it has listeners, the feed polls `PRAGMA data_version` every `pollIntervalMs`. That takes a few microseconds, and
 * shows whether another connection has committed. The store's own writes are delivered at once, by `afterCommit`.
 *
 * - A gap before the first row means that rows were pruned before this process read them: the feed calls `missed`.
 * - If the file can't be read, the feed calls `broken` once, and `missed` when it can be read again.
 */
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import { isStrings } from "../../base/shapes.ts";
import type { FeedListener, SessionChange } from "../../session-store.ts";
import { FeedListeners } from "../common/feed-listeners.ts";
import { endOf, isStoredEndReason } from "../common/messages.ts";
import { isBusy } from "./errors.ts";
import * as sql from "./schema.ts";

export interface SqliteFeedOptions {
  readonly clock: Clock;
  readonly pollIntervalMs: number;
  /** How long the file may be locked before the feed counts as broken. */
  readonly busyTimeoutMs: number;
  readonly wrapError: (error: unknown) => Error;
}

const rowsPerRead = 500;

export class SqliteFeed {
  readonly #options: SqliteFeedOptions;
  readonly #listeners = new FeedListeners();
  readonly #dataVersion: StatementSync;
  readonly #lastSequence: StatementSync;
  readonly #changesSince: StatementSync;
  #cursor = 0;
  #seenDataVersion = Number.NaN;
  /** Rows may be unread although `data_version` has not changed. */
  #behind = false;
  #delivering = false;
  #brokenBy: Error | null = null;
  #closed = false;
  #busySince: number | null = null;
  #cancelPoll: (() => void) | null = null;

  constructor(database: DatabaseSync, options: SqliteFeedOptions) {
    this.#options = options;
    this.#dataVersion = database.prepare(sql.dataVersion);
    this.#lastSequence = database.prepare(sql.lastSequence);
    this.#changesSince = database.prepare(sql.changesSince);
  }

  /** From now on nothing is missed silently. Throws if the file can't be read. */
  listen(listener: FeedListener): () => void {
    if (this.#listeners.size === 0) {
      this.#skipToNewest();
      this.#brokenBy = null;
    } else {
      this.#poll(); // earlier changes are for the earlier listeners only
      if (this.#brokenBy) throw this.#brokenBy;
    }
    const remove = this.#listeners.add(listener);
    this.#schedulePoll();
    return () => {
      remove();
      if (this.#listeners.size === 0) this.#stopPolling();
    };
  }

  /** Delivers this store's own write, after all writes that were committed before it. Never throws. */
  afterCommit(): void {
    if (this.#listeners.size === 0) return;
    this.#behind = true;
    this.#poll();
  }

  close(): void {
    this.#closed = true;
    this.#stopPolling();
  }

  #stopPolling(): void {
    this.#cancelPoll?.();
    this.#cancelPoll = null;
  }

  #schedulePoll(): void {
    this.#cancelPoll ??= this.#options.clock.after(this.#options.pollIntervalMs, () => {
      this.#cancelPoll = null;
      const asOf = this.#options.clock.now();
      this.#poll();
      if (!this.#behind && !this.#brokenBy) this.#listeners.alive(asOf);
      if (this.#listeners.size > 0 && !this.#closed) this.#schedulePoll();
    });
  }

  #poll(): void {
    // A listener that writes gets here again; the delivery in progress will find its rows.
    if (this.#delivering) return;
    this.#delivering = true;
    try {
      // Before the rows are read, so that a commit in between is read twice rather than never.
      const dataVersion = this.#askDataVersion();
      if (this.#brokenBy) {
        this.#skipToNewest();
        this.#brokenBy = null;
        this.#listeners.missed();
      } else if (this.#behind || dataVersion !== this.#seenDataVersion) {
        this.#deliver();
      }
      this.#seenDataVersion = dataVersion;
      this.#busySince = null;
    } catch (error) {
      this.#behind = true;
      this.#failed(error);
    } finally {
      this.#delivering = false;
    }
  }

  #deliver(): void {
    for (;;) {
      this.#behind = false;
      const rows = this.#changesSince.all(this.#cursor, rowsPerRead);
      for (const row of rows) {
        const sequence = Number(row.sequence);
        if (sequence !== this.#cursor + 1) this.#listeners.missed();
        this.#cursor = sequence;
        this.#deliverRow(row);
        if (this.#closed) return; // by a listener
      }
      if (rows.length < rowsPerRead && !this.#behind) return;
    }
  }

  #deliverRow(row: Record<string, unknown>): void {
    if (row.kind === "changed" && typeof row.message === "string") {
      this.#listeners.told(row.message);
      return;
    }
    const change = changeOf(row);
    if (change) this.#listeners.changed(change);
    else this.#listeners.missed();
  }

  #skipToNewest(): void {
    this.#seenDataVersion = this.#askDataVersion();
    this.#cursor = Number(this.#lastSequence.get()?.sequence);
    this.#behind = false;
  }

  #askDataVersion(): number {
    return Number(this.#dataVersion.get()?.data_version);
  }

  #failed(error: unknown): void {
    if (isBusy(error)) {
      this.#busySince ??= performance.now();
      if (performance.now() - this.#busySince < this.#options.busyTimeoutMs) return;
    }
    if (this.#brokenBy) return;
    this.#brokenBy = this.#options.wrapError(error);
    this.#listeners.broken(this.#brokenBy);
  }
}

/** Undefined for `cleared`, and for rows of a newer release: everything then has to be read again. */
function changeOf(row: Record<string, unknown>): SessionChange | undefined {
  const publicIds: unknown = JSON.parse(String(row.public_ids));
  if (!isStrings(publicIds)) return undefined;
  if (row.kind === "changed")
    return { kind: "changed", publicIds, ...(typeof row.write === "string" ? { write: row.write } : {}) };
  if (row.kind === "ended" && isStoredEndReason(row.reason))
    return { kind: "ended", publicIds, ...endOf(row.reason, row.message) };
  return undefined;
}
