/**
 * Sessions in the memory of this process: for development, tests, and applications of one process that may lose them.
 *
 * ```ts
 * import { memoryStore } from "socket-session/memory";
 * const sessions = liveSessions({ store: memoryStore(), secret });
 * ```
 *
 * - `clock`: decides when a session expires; the system's by default.
 *
 * The store gives all guarantees of the port: conditional writes, a feed that misses nothing, data as plain JSON. Several
 * hubs may share one store object to act as several nodes. Expired sessions and tickets are removed within a minute.
 *
 * `close()` only ends the timers, since other hubs may share the object. The sessions stay readable, and the next write
 * restarts the timer. The memory is freed with the object.
 */

import { clockOf } from "../base/arguments.ts";
import { mapInTurns } from "../base/batches.ts";
import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import type {
  CookieDocument,
  FeedListener,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
  UserSession,
} from "../session-store.ts";
import { documentText, parseDocument } from "./common/documents.ts";
import { FeedListeners } from "./common/feed-listeners.ts";
import { endOf } from "./common/messages.ts";
import { checkStoreOptions } from "./common/options.ts";

export interface MemoryStoreOptions {
  clock?: Clock;
}

const known: Readonly<Record<keyof MemoryStoreOptions, true>> = { clock: true };

/** For options of memorystore. */
const cures = { checkPeriod: "Leave it out: sessions whose time is over are removed within a minute." };

export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  checkStoreOptions("memoryStore()", "memoryStore()", options, known, cures);
  return new MemoryStore(clockOf("memoryStore()", options.clock));
}

interface Entry {
  readonly text: string;
  readonly expiresAt: number;
  readonly revision: number;
  readonly user?: string | undefined;
  /** When the session became this user's. */
  readonly since?: number;
}

interface Ticket {
  readonly value: string;
  readonly expiresAt: number;
}

// Every method is atomic, since it does its work in one synchronous step.
class MemoryStore implements SessionStore {
  readonly name = "memory";
  readonly atomic = true;
  readonly feed = { kind: "memory", complete: true };
  readonly #clock: Clock;
  readonly #sidsByUser = new Map<string, Set<string>>();
  readonly #entriesBySid: ExpiringMap<Entry>;
  readonly #ticketsById: ExpiringMap<Ticket>;
  readonly #listeners = new FeedListeners();
  #lastRevision = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#entriesBySid = new ExpiringMap(clock, { onRemoved: (sid, entry) => this.#unlist(sid, entry) });
    this.#ticketsById = new ExpiringMap(clock);
  }

  async read({ sid }: SessionKey): Promise<StoredSession | null> {
    const entry = this.#entriesBySid.get(sid);
    return entry ? storedOf(entry) : null;
  }

  async create(
    { sid }: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
  ): Promise<Revision | null> {
    const text = documentText(document);
    if (this.#entriesBySid.get(sid)) return null;
    return this.#write(sid, { text, expiresAt }, user);
  }

  async replace(
    { sid, publicIds }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write?: string,
    isNewUser?: boolean,
  ): Promise<Revision | null> {
    const text = documentText(document);
    const entry = this.#entriesBySid.get(sid);
    if (entry?.revision !== expected) return null;
    const until = expiresAt === "keep" ? entry.expiresAt : expiresAt;
    const since = isNewUser ? { since: this.#clock.now() } : {};
    const revision = this.#write(sid, { ...entry, text, expiresAt: until, ...since }, user);
    this.#listeners.changed({ kind: "changed", publicIds, ...(write === undefined ? {} : { write }) });
    return revision;
  }

  async touch(
    { sid }: SessionKey,
    expiresAt: number,
    _cookie: CookieDocument,
    user?: string,
  ): Promise<boolean> {
    const entry = this.#entriesBySid.get(sid);
    if (!entry) return false;
    const listed = entry.user ?? user; // a touch may carry an outdated user: it never replaces another
    this.#set(sid, { ...entry, expiresAt: Math.max(expiresAt, entry.expiresAt) }, listed);
    return true;
  }

  async destroy(
    { sid, publicIds }: SessionKey,
    reason: StoredEndReason,
    _isNewId?: boolean,
    message?: string,
  ): Promise<boolean> {
    if (!this.#entriesBySid.delete(sid)) return false;
    this.#listeners.changed({ kind: "ended", publicIds, ...endOf(reason, message) });
    return true;
  }

  async changes(listener: FeedListener): Promise<Unsubscribe> {
    const remove = this.#listeners.add(listener);
    return async () => remove();
  }

  async tell(note: string): Promise<void> {
    this.#listeners.told(note);
  }

  async all(): Promise<Record<string, SessionDocument>> {
    // fromEntries defines own properties, so that an id such as `__proto__` is one entry like any other.
    return Object.fromEntries(
      this.#entriesBySid.live().map(([sid, entry]) => [sid, parseDocument(entry.text)]),
    );
  }

  async count(): Promise<number> {
    return this.#entriesBySid.live().length;
  }

  async clear(): Promise<void> {
    this.#entriesBySid.clear();
    this.#listeners.missed();
  }

  async listByUser(user: string): Promise<UserSession[]> {
    const listed = await mapInTurns([...(this.#sidsByUser.get(user) ?? [])], (sid) => {
      const entry = this.#entriesBySid.get(sid);
      return entry ? [{ sid, since: entry.since ?? 0, stored: storedOf(entry) }] : [];
    });
    return listed.flat();
  }

  async putTicket(id: string, value: string, expiresAt: number): Promise<void> {
    this.#ticketsById.set(id, { value, expiresAt });
  }

  async takeTicket(id: string): Promise<string | null> {
    const ticket = this.#ticketsById.get(id);
    this.#ticketsById.delete(id);
    return ticket?.value ?? null;
  }

  async close(): Promise<void> {
    this.#entriesBySid.stop();
    this.#ticketsById.stop();
  }

  #write(sid: string, entry: Omit<Entry, "revision">, user: string | undefined): Revision {
    this.#lastRevision += 1;
    this.#set(sid, { ...entry, revision: this.#lastRevision }, user);
    return this.#lastRevision;
  }

  #set(sid: string, entry: Entry, user: string | undefined): void {
    if (user === undefined || user === entry.user) {
      this.#entriesBySid.set(sid, entry);
      return;
    }
    this.#unlist(sid, entry);
    const sids = this.#sidsByUser.get(user) ?? new Set();
    this.#sidsByUser.set(user, sids.add(sid));
    this.#entriesBySid.set(sid, { ...entry, user, since: this.#clock.now() });
  }

  #unlist(sid: string, { user }: Entry): void {
    if (user === undefined) return;
    const sids = this.#sidsByUser.get(user);
    sids?.delete(sid);
    if (sids?.size === 0) this.#sidsByUser.delete(user);
  }
}

function storedOf({ text, expiresAt, revision }: Entry): StoredSession {
  return { document: parseDocument(text), expiresAt, revision };
}
