/**
 * Wraps any `express-session` store to the port.
 *
 * ```ts
 * const store = fromExpressStore(new RedisStore({ client }), { ttlMs: 86_400_000 });
 * ```
 *
 * - `ttlMs`: the life of a session whose cookie has no life time; the store's own `ttl` by default.
 * - `isShared`: whether other processes use the store as well; true by default.
 * - `clock`: the system's by default. The wrapped store uses the system's time in any case.
 * - `operationTimeoutMs`: how long one call of the wrapped store may take before the operation rejects; 10000. A later
 *   outcome of the call is ignored.
 *
 * Such a store writes whole documents and publishes nothing, which limits the port's guarantees:
 *
 * - `atomic` is false. The operations on one session run one after another within this wrapper, so conditional writes
 *   hold among its users. Another process may write between the read and the write of one operation: its write is then
 *   lost, and a session that it destroyed may come back.
 * - There is no feed.
 * - A revision names content: a session destroyed and created with the same content has the same revision.
 * - A `touch` moves the store's own expiry and, in most stores, not `cookie.expires` in the document. So `expiresAt` is
 *   the later of the document's and this process's last touch. It may be in the past while the store still returns the
 *   session, because another process touched it: the session is then alive, and has to be read again later.
 * - If the store is not shared, this process has seen everything that extends a session: an expired session is gone,
 *   whatever the store returns. An earlier process may have touched it as late as this one's start.
 * - A session whose cookie has no life time lives as long as the store keeps it (`MemoryStore`: for ever), as with
 *   `express-session` alone, unless `ttlMs` is given. `expiresAt` then says when to read again: half a life from now, if
 *   this process has neither written nor touched the session.
 *
 * `close()` closes nothing: the store belongs to its maker.
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

/** When to read a session again if the store's own life time is unknown. */
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
  /** From the application; takes precedence over the store's own `ttl`. */
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
      // This process knows the sessions that it stored. It does not look up other new ids; nor does express-session.
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
      const session = expressSession(found.session, cookie, this.#passedDeadline(cookie, expiresAt));
      if (!(await this.#calls.touch(sid, session))) return false;
      this.#lastTouchBySid.set(sid, { expiresAt });
      return true;
    });
  }

  destroy({ sid }: SessionKey, _reason: StoredEndReason, isNewId = false): Promise<boolean> {
    return this.#queue.run(sid, async () => {
      const mayExist = !isNewId || this.#lastTouchBySid.get(sid) !== undefined;
      // A document that can't be read does not prevent a logout.
      const found = mayExist && (await this.#find(sid).catch(() => true));
      await this.#calls.destroy(sid);
      this.#lastTouchBySid.delete(sid);
      return Boolean(found);
    });
  }

  async close(): Promise<void> {
    this.#lastTouchBySid.clear();
  }

  /** The session as the store keeps it, and its document. Null if it is known to have expired. */
  async #find(sid: string): Promise<{ session: object; document: SessionDocument } | null> {
    const session = await this.#calls.get(sid);
    if (!session) return null;
    const document = plainDocument(session, this.#stamps);
    return this.#isOver(sid, document.cookie) ? null : { session, document };
  }

  /** `own`: the replaced session as the store keeps it. */
  async #set(sid: string, document: SessionDocument, expiresAt: number, own: object = {}): Promise<Revision> {
    // Computed before the store may change the document.
    const revision = contentRevision(document);
    const stamps = Object.entries(own).filter(([key]) => this.#stamps.includes(key));
    const base = { ...Object.fromEntries(stamps), ...withOwnValues(document, own) };
    const { cookie } = document;
    await this.#calls.set(sid, expressSession(base, cookie, this.#passedDeadline(cookie, expiresAt)));
    this.#lastTouchBySid.set(sid, { expiresAt });
    return revision;
  }

  /** The deadline to pass to the store. Undefined if the store's own `ttl` decides. */
  #passedDeadline(cookie: CookieDocument, expiresAt: number): number | undefined {
    return hasOwnLife(cookie) || this.#givenTtlMs !== undefined ? expiresAt : undefined;
  }

  async #clear(): Promise<void> {
    await this.#calls.clear();
    this.#lastTouchBySid.clear();
  }

  /**
   * If the deadline is unknown, half a life from now: the session does not count as expired, and a touch is due as soon as
   * it is used. After that the deadline is known.
   */
  #deadline(sid: string, cookie: CookieDocument): number {
    return this.#knownDeadline(sid, cookie) ?? this.#clock.now() + this.#life(cookie) / 2;
  }

  /** A full life from now if the known deadline has passed or none is known: never a past time, nor part of a life. */
  #kept(sid: string, cookie: CookieDocument): number {
    const known = this.#knownDeadline(sid, cookie) ?? 0;
    const now = this.#clock.now();
    return known > now ? known : now + this.#life(cookie);
  }

  #life(cookie: CookieDocument): number {
    return cookie.originalMaxAge ?? this.ttlMs;
  }

  /** Leaves out sessions that are known to have expired. A list may lack the ids; sessions without one stay. */
  #notOver(sessions: Sessions): Sessions {
    if (!Array.isArray(sessions))
      return Object.fromEntries(
        Object.entries(sessions).filter(([sid, { cookie }]) => !this.#isOver(sid, cookie)),
      );
    return sessions.filter(({ id, cookie }) => typeof id !== "string" || !this.#isOver(id, cookie));
  }

  /** True only if no other process can have extended the session, including an earlier process on the same store. */
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
