/**
 * The statements on a session file. Each is a synchronous step, atomic for all processes: one transaction writes a session
 * and its row of the change feed. Any of them may throw "busy" (see `isBusy`), and has then changed nothing.
 */
import { randomUUID } from "node:crypto";
import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Clock } from "../../base/clock.ts";
import type {
  Revision,
  SessionDocument,
  SessionKey,
  StoredEndReason,
  StoredSession,
  UserSession,
} from "../../session-store.ts";
import { ifReadable, parseDocument } from "../common/documents.ts";
import { rollback } from "./file.ts";
import * as sql from "./schema.ts";

export class SqliteTables {
  readonly #database: DatabaseSync;
  readonly #clock: Clock;
  readonly #read: StatementSync;
  readonly #create: StatementSync;
  readonly #replace: StatementSync;
  readonly #touch: StatementSync;
  readonly #destroy: StatementSync;
  readonly #publish: StatementSync;
  readonly #putTicket: StatementSync;
  readonly #takeTicket: StatementSync;
  readonly #pruneSessions: StatementSync;
  readonly #pruneTickets: StatementSync;
  readonly #pruneChanges: StatementSync;

  constructor(database: DatabaseSync, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
    this.#read = database.prepare(sql.read);
    this.#create = database.prepare(sql.create);
    this.#replace = database.prepare(sql.replace);
    this.#touch = database.prepare(sql.touch);
    this.#destroy = database.prepare(sql.destroy);
    this.#publish = database.prepare(sql.publish);
    this.#putTicket = database.prepare(sql.putTicket);
    this.#takeTicket = database.prepare(sql.takeTicket);
    this.#pruneSessions = database.prepare(sql.pruneSessions);
    this.#pruneTickets = database.prepare(sql.pruneTickets);
    this.#pruneChanges = database.prepare(sql.pruneChanges);
  }

  read({ sid }: SessionKey): StoredSession | null {
    const row = this.#read.get(utf16(sid), this.#clock.now());
    return row ? storedOf(row) : null;
  }

  create({ sid }: SessionKey, document: string, expiresAt: number, user?: string): Revision | null {
    const revision = randomUUID();
    const written = this.#transaction(() => {
      const times = { expiresAt, now: this.#clock.now() };
      return changedOne(
        this.#create.run({ id: utf16(sid), document, revision, user: userIn(user), ...times }),
      );
    });
    return written ? revision : null;
  }

  replace(
    { sid, publicIds }: SessionKey,
    expected: Revision,
    document: string,
    expiresAt: number | "keep",
    user?: string,
    write?: string,
    isNewUser = false,
  ): Revision | null {
    const revision = randomUUID();
    const written = this.#transaction(() => {
      const now = this.#clock.now();
      const times = { expiresAt: expiresAt === "keep" ? null : expiresAt, now };
      const owner = { user: userIn(user), isNewUser: Number(isNewUser) };
      const replaced = changedOne(
        this.#replace.run({ id: utf16(sid), document, revision, expected, ...owner, ...times }),
      );
      if (replaced) this.#publish.run(now, "changed", JSON.stringify(publicIds), null, write ?? null, null);
      return replaced;
    });
    return written ? revision : null;
  }

  touch({ sid }: SessionKey, expiresAt: number, user?: string): boolean {
    return this.#transaction(() => {
      const times = { expiresAt, now: this.#clock.now() };
      return changedOne(this.#touch.run({ id: utf16(sid), user: userIn(user), ...times }));
    });
  }

  listByUser(user: string): UserSession[] {
    const rows = this.#database.prepare(sql.listByUser).all(utf16(user), this.#clock.now());
    return rows.map((row) => ({
      sid: textOf(row.id),
      since: Number(row.user_since),
      stored: ifReadable(() => storedOf(row)),
    }));
  }

  destroy({ sid, publicIds }: SessionKey, reason: StoredEndReason, message?: string): boolean {
    return this.#transaction(() => {
      const now = this.#clock.now();
      const destroyed = changedOne(this.#destroy.run(utf16(sid), now));
      if (destroyed)
        this.#publish.run(now, "ended", JSON.stringify(publicIds), reason, null, message ?? null);
      return destroyed;
    });
  }

  /** As a change of no session, which older releases pass over. */
  tell(note: string): void {
    this.#transaction(() => this.#publish.run(this.#clock.now(), "changed", "[]", null, null, note));
  }

  all(): Record<string, SessionDocument> {
    const rows = this.#database.prepare(sql.all).all(this.#clock.now());
    // fromEntries defines own properties, so that an id such as `__proto__` is one entry like any other.
    return Object.fromEntries(
      rows.flatMap((row): [string, SessionDocument][] => {
        const document = ifReadable(() => parseDocument(String(row.document)));
        return document ? [[textOf(row.id), document]] : [];
      }),
    );
  }

  count(): number {
    return Number(this.#database.prepare(sql.count).get(this.#clock.now())?.count);
  }

  clear(): void {
    this.#transaction(() => {
      this.#database.exec(sql.clear);
      this.#publish.run(this.#clock.now(), "cleared", "[]", null, null, null);
    });
  }

  putTicket(id: string, value: string, expiresAt: number): void {
    this.#transaction(() => this.#putTicket.run(id, value, expiresAt));
  }

  takeTicket(id: string): string | null {
    const row = this.#transaction(() => this.#takeTicket.get(id, this.#clock.now()));
    return row ? String(row.value) : null;
  }

  /** Removes at most `limit` expired sessions; returns how many. */
  pruneSessions(limit: number): number {
    return this.#transaction(() => Number(this.#pruneSessions.run(this.#clock.now(), limit).changes));
  }

  /** As `pruneSessions`. */
  pruneTickets(limit: number): number {
    return this.#transaction(() => Number(this.#pruneTickets.run(this.#clock.now(), limit).changes));
  }

  /** Removes at most `limit` of the oldest rows of the feed, none younger than `ageMs`; returns how many. */
  pruneChanges(ageMs: number, limit: number): number {
    return this.#transaction(() => Number(this.#pruneChanges.run(this.#clock.now() - ageMs, limit).changes));
  }

  /** Takes the write lock first: a transaction that reads first and locks later could fail. */
  #transaction<Result>(work: () => Result): Result {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      const result = work();
      this.#database.exec("COMMIT");
      return result;
    } catch (error) {
      rollback(this.#database);
      throw error;
    }
  }
}

function changedOne({ changes }: { changes: number | bigint }): boolean {
  return Number(changes) === 1;
}

function storedOf(row: Record<string, unknown>): StoredSession {
  return {
    document: parseDocument(String(row.document)),
    expiresAt: Number(row.expires_at),
    revision: String(row.revision),
  };
}

function userIn(user: string | undefined): Uint8Array | null {
  return user === undefined ? null : utf16(user);
}

/** The stored form of an id or a user. The schema says why it is not TEXT. */
function utf16(text: string): Uint8Array {
  return Buffer.from(text, "utf16le");
}

function textOf(blob: unknown): string {
  return blob instanceof Uint8Array ? Buffer.from(blob).toString("utf16le") : String(blob);
}
