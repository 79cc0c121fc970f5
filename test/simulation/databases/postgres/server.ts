/**
 * A PostgreSQL server with the tables of `postgresStore`. Each statement happens at one moment, with its commit and the
 * delivery of its `NOTIFY`. Its standby is asynchronous: a failover may forget the last commits, and the tables if they
 * were among them.
 */
import { unescaped } from "../../../../src/stores/common/ids.ts";
import type { Ledger } from "../../ledger.ts";
import { DatabaseServer } from "../../world/database-server.ts";
import { Journal } from "../../world/journal.ts";
import type { World } from "../../world/world.ts";

interface SessionRow {
  readonly sess: string;
  /** Milliseconds since the epoch. */
  readonly expire: number;
}

interface UserRow {
  readonly user: string;
  readonly sid: string;
  readonly since: number;
  readonly expiresAt: number;
}

interface TicketRow {
  readonly value: string;
  readonly expiresAt: number;
}

export class PostgresServer extends DatabaseServer {
  readonly mayForget = true;
  readonly ledger: Ledger;
  readonly #tables: Journal<true>;
  readonly #sessions: Journal<SessionRow>;
  readonly #users: Journal<UserRow>;
  readonly #tickets: Journal<TicketRow>;
  readonly #listenersByChannel = new Map<string, Set<(payload: string) => void>>();

  constructor(world: World, ledger: Ledger) {
    super(world);
    const now = () => world.now;
    this.ledger = ledger;
    this.#tables = new Journal(now);
    this.#sessions = new Journal(now);
    this.#users = new Journal(now);
    this.#tickets = new Journal(now);
  }

  hasTable(name: string): boolean {
    return this.#tables.get(name) !== undefined;
  }

  createTable(name: string): void {
    if (this.hasTable(name)) throw postgresError("42P07", `relation ${name} already exists`);
    this.#tables.set(name, true);
  }

  /** Of that table. The store has one of sessions. */
  sessions(name: string): Journal<SessionRow> {
    this.#expectTable(name);
    return this.#sessions;
  }

  users(name: string): Journal<UserRow> {
    this.#expectTable(name);
    return this.#users;
  }

  tickets(name: string): Journal<TicketRow> {
    this.#expectTable(name);
    return this.#tickets;
  }

  notify(channel: string, payload: string): void {
    for (const listener of this.#listenersByChannel.get(channel) ?? []) listener(payload);
  }

  /** Returns the undoing. */
  listen(channel: string, listener: (payload: string) => void): () => void {
    const listeners = this.#listenersByChannel.get(channel) ?? new Set();
    this.#listenersByChannel.set(channel, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  protected override failure(): Error {
    return postgresError("53100", "could not extend file: No space left on device");
  }

  protected override forget(since: number): void {
    this.#tables.forget(since);
    this.#users.forget(since);
    this.#tickets.forget(since);
    for (const sid of this.#sessions.forget(since)) {
      const row = this.#sessions.get(sid);
      this.ledger.forgotten(unescaped(sid), row && JSON.parse(row.sess), row?.expire ?? 0);
    }
  }

  #expectTable(name: string): void {
    if (!this.hasTable(name)) throw postgresError("42P01", `relation ${name} does not exist`);
  }
}

function postgresError(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}
