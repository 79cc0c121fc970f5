/** A database of the port's own shape: each operation one step, together with what it publishes. */
import type { SessionDocument, StoredSession } from "../../../src/session-store.ts";
import type { Ledger } from "../ledger.ts";
import type { Connection } from "../world/connection.ts";
import { DatabaseServer } from "../world/database-server.ts";
import { Journal } from "../world/journal.ts";
import { epochMs } from "../world/process.ts";
import type { World } from "../world/world.ts";

interface Row {
  readonly text: string;
  readonly expiresAt: number;
  readonly revision: number;
}

interface Ticket {
  readonly value: string;
  readonly expiresAt: number;
}

export class ReferenceServer extends DatabaseServer {
  readonly mayForget = true;
  /** Its protocol need not be one over TCP. */
  protected override readonly isOrdered: boolean;
  readonly #ledger: Ledger;
  readonly #rows: Journal<Row>;
  readonly #tickets: Journal<Ticket>;
  readonly #subscribers = new Map<Connection, (text: string) => void>();
  #log: string[] = [];
  /** Changes when the log of before is no more. */
  logName = 1;
  #lastRevision = 0;

  constructor(world: World, ledger: Ledger) {
    super(world);
    this.#ledger = ledger;
    this.#rows = new Journal(() => world.now);
    this.#tickets = new Journal(() => world.now);
    this.isOrdered = world.random.fork("order").chance(0.7);
  }

  read(sid: string): StoredSession | null {
    const row = this.#live(sid);
    return row ? { document: documentOf(row), expiresAt: row.expiresAt, revision: `r${row.revision}` } : null;
  }

  create(sid: string, text: string, expiresAt: number): string | null {
    return this.#live(sid) ? null : this.#write(sid, text, expiresAt);
  }

  replace(
    sid: string,
    expected: string,
    text: string,
    expiresAt: number | "keep",
    message: string,
  ): string | null {
    const row = this.#live(sid);
    if (!row || `r${row.revision}` !== expected) return null;
    const revision = this.#write(sid, text, expiresAt === "keep" ? row.expiresAt : expiresAt);
    this.publish(message);
    return revision;
  }

  touch(sid: string, expiresAt: number, node: string): boolean {
    const row = this.#live(sid);
    if (!row) return false;
    if (expiresAt > row.expiresAt) {
      this.#rows.set(sid, { ...row, expiresAt });
      this.#ledger.touched(sid, expiresAt, node);
    }
    return true;
  }

  destroy(sid: string, message: string): boolean {
    if (!this.#live(sid)) return false;
    this.#rows.delete(sid);
    this.#ledger.removed(sid);
    this.publish(message);
    return true;
  }

  putTicket(id: string, value: string, expiresAt: number): void {
    this.#tickets.set(id, { value, expiresAt });
  }

  takeTicket(id: string): string | null {
    const ticket = this.#tickets.get(id);
    if (!ticket || ticket.expiresAt <= epochMs + this.world.now) return null;
    this.#tickets.delete(id);
    return ticket.value;
  }

  publish(text: string): void {
    this.#log.push(text);
    for (const publish of this.#subscribers.values()) publish(text);
  }

  /** Pushes what is published from now on. */
  subscribe(connection: Connection, receive: (text: string) => void): void {
    this.#subscribers.set(connection, (text) => connection.publish(() => receive(text)));
    connection.onClosed(() => this.#subscribers.delete(connection));
  }

  /** The changes published from `index` on. */
  logFrom(index: number): {
    readonly name: number;
    readonly texts: readonly string[];
    readonly next: number;
  } {
    return { name: this.logName, texts: this.#log.slice(index), next: this.#log.length };
  }

  protected override forget(since: number): void {
    this.#tickets.forget(since);
    for (const sid of this.#rows.forget(since)) {
      const row = this.#rows.get(sid);
      this.#ledger.forgotten(sid, row && documentOf(row), row?.expiresAt ?? 0);
    }
    this.#log = [];
    this.logName++;
  }

  #write(sid: string, text: string, expiresAt: number): string {
    const row = { text, expiresAt, revision: ++this.#lastRevision };
    this.#rows.set(sid, row);
    this.#ledger.stored(sid, documentOf(row), expiresAt);
    return `r${row.revision}`;
  }

  #live(sid: string): Row | undefined {
    const row = this.#rows.get(sid);
    return row && row.expiresAt > epochMs + this.world.now ? row : undefined;
  }
}

function documentOf({ text }: Row): SessionDocument {
  return JSON.parse(text);
}
