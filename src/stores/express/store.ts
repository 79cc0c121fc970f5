/**
 * Wraps any `express-session` store to the port.
 *
 * ```ts
 * const store = fromExpressStore(new RedisStore({ client }), { ttlMs: 86_400_000 });
 * ```
 *
 * - `ttlMs`: the life of a session whose cookie has none of its own; the store's own `ttl` by default.
 * - `isShared`: whether other processes use the store as well; true by default.
 * - `clock`: the system's by default. The wrapped store goes by the system's time in any case.
 * - `operationTimeoutMs`: how long one call of the wrapped store may take before the operation rejects; 10000. What the
 *   store does after that goes unseen.
 *
 * Such a store writes whole documents and tells nobody, so this is what the port's promises come to:
 *
 * - `atomic` is false. The operations on one session run one after another within this wrapper, so conditional writes
 *   hold among its users. Another process may write between the reading and the writing of one operation: its write is
 *   then lost, and a session it destroyed may come back.
 * - There is no feed.
 * - A revision names content: a session destroyed and created with the same content has the same revision.
 * - A `touch` moves the store's own expiry and, in most stores, not `cookie.expires` in the document. So `expiresAt` is
 *   the later of the document's and this process's last touch, and may be in the past while the store still answers
 *   with the session, touched by another process: then it lives, and its end is to be asked for again later.
 * - Where the store is not shared, this process has seen all that extends a session: one whose time is over is not
 *   there, whatever the store answers. Its last touch by an earlier process may be as late as our start.
 * - A session whose cookie has no life time lives as long as the store keeps it (`MemoryStore`: for ever), as with
 *   `express-session` alone, unless `ttlMs` is given. Until then `expiresAt` says when to ask again: half a life from now,
 *   if this process has neither written nor touched the session.
 *
 * `close()` closes nothing: the store belongs to who made it.
 */
import { type Clock, systemClock } from "../../base/clock.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import { KeyedLock } from "../../base/keyed-lock.ts";
import type {
  CookieDocument,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
} from "../../session-store.ts";
import { ExpressStoreCalls } from "./calls.ts";
import { stampsOf, withOwnValues } from "./own-values.ts";
import {
  contentRevision,
  copyOf,
  type ExpressStore,
  expressSession,
  hasOwnLife,
  plainDocument,
  plainDocuments,
} from "./shape.ts";
import { ownTtlMs } from "./ttl.ts";

export interface ExpressStoreOptions {
  ttlMs?: number | undefined;
  isShared?: boolean | undefined;
  clock?: Clock;
  operationTimeoutMs?: number;
}

type Sessions = Record<string, SessionDocument> | SessionDocument[];

/** Where nothing tells how long the store keeps a session: when to ask for it again. */
const standardTtlMs = 86_400_000;

export function fromExpressStore(store: ExpressStore, options: ExpressStoreOptions = {}): SessionStore {
  const { clock = systemClock, operationTimeoutMs = 10_000 } = options;
  return new WrappedStore(store, new ExpressStoreCalls(store, clock, operationTimeoutMs), clock, options);
}

class WrappedStore implements SessionStore {
  readonly name: string;
  readonly atomic = false;
  readonly isWrapped = true;
  readonly ttlMs: number;
  readonly all?: () => Promise<Sessions>;
  readonly count?: () => Promise<number>;
  readonly clear?: () => Promise<void>;
  readonly connectivity?: (listener: (state: "connected" | "disconnected") => void) => () => void;
  readonly #calls: ExpressStoreCalls;
  readonly #clock: Clock;
  /** What the application wants, against the store's own `ttl`. */
  readonly #givenTtlMs: number | undefined;
  readonly #isShared: boolean;
  readonly #stamps: readonly string[];
  readonly #startedAt: number;
  readonly #queue = new KeyedLock();
  readonly #lastTouchBySid: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(
    store: ExpressStore,
    calls: ExpressStoreCalls,
    clock: Clock,
    { ttlMs, isShared = true }: ExpressStoreOptions,
  ) {
    this.name = calls.storeName;
    this.ttlMs = ttlMs ?? ownTtlMs(store) ?? standardTtlMs;
    this.#calls = calls;
    this.#clock = clock;
    this.#givenTtlMs = ttlMs;
    this.#isShared = isShared;
    this.#stamps = stampsOf(store);
    this.#startedAt = clock.now();
    this.#lastTouchBySid = new ExpiringMap(clock);
    if (store.all) this.all = async () => this.#notOver(plainDocuments(await calls.all(), this.#stamps));
    if (store.length) this.count = () => calls.length();
    if (store.clear) this.clear = () => this.#clear();
    if (store.on) this.connectivity = (listener) => calls.connectivity(listener);
  }

  async read({ sid }: SessionKey): Promise<StoredSession | null> {
    const found = await this.#find(sid);
    if (!found) return null;
    const { document } = found;
    return { document, expiresAt: this.#deadline(sid, document.cookie), revision: contentRevision(document) };
  }

  async create(
    { sid }: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    _user?: string,
    isNewId = false,
  ): Promise<Revision | null> {
    const copy = copyOf(document);
    return this.#queue.run(sid, async () => {
      // What was stored here is known. Otherwise a new id is not asked for, as express-session does not either.
      const mayExist = !isNewId || this.#lastTouchBySid.get(sid) !== undefined;
      if (mayExist && (await this.#find(sid))) return null;
      return this.#set(sid, copy, expiresAt);
    });
  }

  async replace(
    { sid }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
  ): Promise<Revision | null> {
    const copy = copyOf(document);
    return this.#queue.run(sid, async () => {
      const found = await this.#find(sid);
      if (!found || contentRevision(found.document) !== expected) return null;
      const until = expiresAt === "keep" ? this.#kept(sid, found.document.cookie) : expiresAt;
      return this.#set(sid, copy, until, found.session);
    });
  }

  touch({ sid }: SessionKey, expiresAt: number, cookie: CookieDocument): Promise<boolean> {
    return this.#queue.run(sid, async () => {
      const found = await this.#find(sid);
      if (!found) return false;
      const known = this.#knownDeadline(sid, found.document.cookie);
      if (known !== undefined && known >= expiresAt) return true;
      const session = expressSession(found.session, cookie, this.#told(cookie, expiresAt));
      if (!(await this.#calls.touch(sid, session))) return false;
      this.#lastTouchBySid.set(sid, { expiresAt });
      return true;
    });
  }

  destroy({ sid }: SessionKey, _reason: StoredEndReason, isNewId = false): Promise<boolean> {
    return this.#queue.run(sid, async () => {
      const mayExist = !isNewId || this.#lastTouchBySid.get(sid) !== undefined;
      // A document that can't be read doesn't keep anyone from logging out.
      const found = mayExist && (await this.#find(sid).catch(() => true));
      await this.#calls.destroy(sid);
      this.#lastTouchBySid.delete(sid);
      return Boolean(found);
    });
  }

  async close(): Promise<void> {
    this.#lastTouchBySid.clear();
  }

  /** What the store has of the session, and what that is to us; null if its time is known to be over. */
  async #find(sid: string): Promise<{ session: object; document: SessionDocument } | null> {
    const session = await this.#calls.get(sid);
    if (!session) return null;
    const document = plainDocument(session, this.#stamps);
    return this.#isOver(sid, document.cookie) ? null : { session, document };
  }

  /** `own`: what the store has of the session that this replaces. */
  async #set(sid: string, document: SessionDocument, expiresAt: number, own: object = {}): Promise<Revision> {
    // Taken before the store may change what it is given.
    const revision = contentRevision(document);
    const stamps = Object.entries(own).filter(([key]) => this.#stamps.includes(key));
    const base = { ...Object.fromEntries(stamps), ...withOwnValues(document, own) };
    const { cookie } = document;
    await this.#calls.set(sid, expressSession(base, cookie, this.#told(cookie, expiresAt)));
    this.#lastTouchBySid.set(sid, { expiresAt });
    return revision;
  }

  /** What the store is told of the deadline: nothing where its own `ttl` is to decide. */
  #told(cookie: CookieDocument, expiresAt: number): number | undefined {
    return hasOwnLife(cookie) || this.#givenTtlMs !== undefined ? expiresAt : undefined;
  }

  async #clear(): Promise<void> {
    await this.#calls.clear();
    this.#lastTouchBySid.clear();
  }

  /**
   * How much is left of a life that nothing here tells of is unknown: half of it, so that it is not over, and a touch is
   * due as soon as the session is used, after which it is known.
   */
  #deadline(sid: string, cookie: CookieDocument): number {
    return this.#knownDeadline(sid, cookie) ?? this.#clock.now() + this.#life(cookie) / 2;
  }

  /** Where what is known here is over, or nothing is, a full life: never one that is over, nor a part of one. */
  #kept(sid: string, cookie: CookieDocument): number {
    const known = this.#knownDeadline(sid, cookie) ?? 0;
    const now = this.#clock.now();
    return known > now ? known : now + this.#life(cookie);
  }

  #life(cookie: CookieDocument): number {
    return cookie.originalMaxAge ?? this.ttlMs;
  }

  /** Without the sessions that are known to be over: what is in a list without its id may be any. */
  #notOver(sessions: Sessions): Sessions {
    if (!Array.isArray(sessions))
      return Object.fromEntries(
        Object.entries(sessions).filter(([sid, { cookie }]) => !this.#isOver(sid, cookie)),
      );
    return sessions.filter(({ id, cookie }) => typeof id !== "string" || !this.#isOver(id, cookie));
  }

  /** Only where no other process can have extended it, and neither an earlier one on the same store since. */
  #isOver(sid: string, cookie: CookieDocument): boolean {
    const life = cookie.originalMaxAge ?? this.#givenTtlMs;
    if (this.#isShared || life === undefined) return false;
    const latest = Math.max(this.#knownDeadline(sid, cookie) ?? 0, this.#startedAt + life);
    return latest <= this.#clock.now();
  }

  #knownDeadline(sid: string, cookie: CookieDocument): number | undefined {
    const touched = this.#lastTouchBySid.get(sid)?.expiresAt ?? Number.NEGATIVE_INFINITY;
    const stored = Date.parse(cookie.expires ?? "");
    const latest = Number.isNaN(stored) ? touched : Math.max(stored, touched);
    return latest === Number.NEGATIVE_INFINITY ? undefined : latest;
  }
}
