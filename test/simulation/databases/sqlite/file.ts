/**
 * A connection to a session file: the real `node:sqlite`, which the simulation watches, disturbs and takes away. Nothing
 * is flushed to the disk, as no power cut is simulated: a write takes 0.03 ms, and always the same way.
 */
import { DatabaseSync, type SQLInputValue, type StatementSync } from "node:sqlite";
import { parseDocument } from "../../../../src/stores/common/documents.ts";
import { read as readStatement } from "../../../../src/stores/sqlite/schema.ts";
import type { Ledger } from "../../ledger.ts";
import type { SimulatedProcess } from "../../world/process.ts";

/** Of this connection alone. A write that leaves the revision is a touch. */
const triggers = `
  CREATE TEMP TRIGGER seen_insert AFTER INSERT ON main.sessions
    BEGIN SELECT seen('stored', new.id, new.document, new.expires_at); END;
  CREATE TEMP TRIGGER seen_update AFTER UPDATE ON main.sessions WHEN old.revision <> new.revision
    BEGIN SELECT seen('stored', new.id, new.document, new.expires_at); END;
  CREATE TEMP TRIGGER seen_touch AFTER UPDATE ON main.sessions
    WHEN old.revision = new.revision AND old.expires_at <> new.expires_at
    BEGIN SELECT seen('touched', new.id, new.document, new.expires_at); END;
  CREATE TEMP TRIGGER seen_delete AFTER DELETE ON main.sessions
    BEGIN SELECT seen('removed', old.id, old.document, old.expires_at); END;`;

export class SessionFile extends DatabaseSync {
  readonly #process: SimulatedProcess;
  readonly #ledger: Ledger;
  readonly #refuse: () => void;
  readonly #uncommitted: (() => void)[] = [];
  #isWatched = false;
  #isClosed = false;

  /** `refuse` is called before each statement: throws what SQLite would. */
  constructor(path: string, process: SimulatedProcess, ledger: Ledger, refuse: () => void) {
    super(path);
    this.#process = process;
    this.#ledger = ledger;
    this.#refuse = refuse;
  }

  /** Once its tables are there. From now on what it does goes into the ledger, and may be refused. */
  watch(): void {
    this.function("seen", (kind, id, document, expiresAt) => {
      this.#see(kind, id, String(document), Number(expiresAt));
      return null;
    });
    this.exec(triggers);
    this.#isWatched = true;
  }

  /** By its store, by the death of its process, or at the end of the run. */
  override close(): void {
    if (!this.#isClosed) super.close();
    this.#isClosed = true;
  }

  override exec(sql: string): void {
    const isEnd = sql === "COMMIT" || sql === "ROLLBACK";
    if (this.#isWatched && !isEnd) this.#refuse();
    super.exec(sql.replace("synchronous = FULL", "synchronous = OFF"));
    const changes = this.#uncommitted.splice(0, isEnd ? this.#uncommitted.length : 0);
    if (sql === "COMMIT") for (const write of changes) write();
  }

  override prepare(sql: string): StatementSync {
    const statement = super.prepare(sql);
    const get = statement.get.bind(statement);
    const all = statement.all.bind(statement);
    return Object.assign(statement, {
      get: (...parameters: SQLInputValue[]) => {
        if (this.#isWatched) this.#refuse();
        if (sql === readStatement) this.#ledger.read(this.#process.name);
        return get(...parameters);
      },
      all: (...parameters: SQLInputValue[]) => {
        if (this.#isWatched) this.#refuse();
        return all(...parameters);
      },
    });
  }

  #see(kind: unknown, id: unknown, text: string, expiresAt: number): void {
    const sid = id instanceof Uint8Array ? Buffer.from(id).toString("utf16le") : String(id);
    const ledger = this.#ledger;
    if (kind === "stored") this.#uncommitted.push(() => ledger.stored(sid, parseDocument(text), expiresAt));
    if (kind === "touched") this.#uncommitted.push(() => ledger.touched(sid, expiresAt));
    // A row whose time is over is pruned: that session has ended before.
    const isOver = expiresAt <= this.#process.now;
    if (kind === "removed" && !isOver) this.#uncommitted.push(() => ledger.removed(sid));
  }
}
