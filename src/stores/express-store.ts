/**
 * Wraps any `express-session` store to the port.
 *
 * ```ts
 * const store = fromExpressStore(new RedisStore({ client }), { ttlMs: 86_400_000 });
 * ```
 *
 * - `ttlMs`: the life of a session whose cookie has none of its own.
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
 * - A session whose cookie has no life time lives as long as the store keeps it (`MemoryStore`: for ever), as with
 *   `express-session` alone.
 *
 * `close()` closes nothing: the store belongs to who made it.
 */
import { type Clock, systemClock } from "../clock.ts";
import { ExpiringMap } from "../core/expiring-map.ts";
import { KeyedLock } from "../core/keyed-lock.ts";
import type {
  CookieDocument,
  EndReason,
  Revision,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredSession,
} from "../core/session-store.ts";
import { isRecord } from "./document-text.ts";
import {
  contentRevision,
  copyOf,
  documentOf,
  type ExpressStore,
  expressSession,
} from "./express-session-shape.ts";
import { ExpressStoreCalls } from "./express-store-calls.ts";

export interface ExpressStoreOptions {
  ttlMs: number;
  clock?: Clock;
  operationTimeoutMs?: number;
}

export function fromExpressStore(store: ExpressStore, options: ExpressStoreOptions): SessionStore {
  const { ttlMs, clock = systemClock, operationTimeoutMs = 10_000 } = options;
  const calls = new ExpressStoreCalls(store, clock, operationTimeoutMs);
  return new WrappedStore(store, calls, clock, ttlMs);
}

class WrappedStore implements SessionStore {
  readonly name: string;
  readonly atomic = false;
  readonly all?: () => Promise<Record<string, SessionDocument> | SessionDocument[]>;
  readonly count?: () => Promise<number>;
  readonly clear?: () => Promise<void>;
  readonly connectivity?: (listener: (state: "connected" | "disconnected") => void) => () => void;
  readonly #calls: ExpressStoreCalls;
  readonly #clock: Clock;
  readonly #ttlMs: number;
  readonly #queue = new KeyedLock();
  readonly #lastTouchBySid: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(store: ExpressStore, calls: ExpressStoreCalls, clock: Clock, ttlMs: number) {
    this.name = calls.storeName;
    this.#calls = calls;
    this.#clock = clock;
    this.#ttlMs = ttlMs;
    this.#lastTouchBySid = new ExpiringMap(clock);
    if (store.all) this.all = async () => documentsOf(await calls.all());
    if (store.length) this.count = () => calls.length();
    if (store.clear) this.clear = () => this.#clear();
    if (store.on) this.connectivity = (listener) => calls.connectivity(listener);
  }

  async read({ sid }: SessionKey): Promise<StoredSession | null> {
    const found = await this.#calls.get(sid);
    if (!found) return null;
    const document = documentOf(found);
    return { document, expiresAt: this.#deadline(sid, document.cookie), revision: contentRevision(document) };
  }

  create({ sid }: SessionKey, document: SessionDocument, expiresAt: number): Promise<Revision | null> {
    return this.#queue.run(sid, async () => {
      if (await this.#calls.get(sid)) return null;
      return this.#set(sid, copyOf(document), expiresAt);
    });
  }

  replace(
    { sid }: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
  ): Promise<Revision | null> {
    return this.#queue.run(sid, async () => {
      const found = await this.#calls.get(sid);
      if (!found) return null;
      const current = documentOf(found);
      if (contentRevision(current) !== expected) return null;
      return this.#set(
        sid,
        copyOf(document),
        expiresAt === "keep" ? this.#kept(sid, current.cookie) : expiresAt,
      );
    });
  }

  touch({ sid }: SessionKey, expiresAt: number, cookie: CookieDocument): Promise<boolean> {
    return this.#queue.run(sid, async () => {
      const found = await this.#calls.get(sid);
      if (!found) return false;
      const known = this.#knownDeadline(sid, documentOf(found).cookie);
      if (known !== undefined && known >= expiresAt) return true;
      if (!(await this.#calls.touch(sid, expressSession(found, cookie, expiresAt)))) return false;
      this.#lastTouchBySid.set(sid, { expiresAt });
      return true;
    });
  }

  destroy({ sid }: SessionKey, _reason: EndReason): Promise<boolean> {
    return this.#queue.run(sid, async () => {
      // A document that can't be read doesn't keep anyone from logging out.
      const found = await this.#calls.get(sid).catch(() => true);
      await this.#calls.destroy(sid);
      this.#lastTouchBySid.delete(sid);
      return Boolean(found);
    });
  }

  async close(): Promise<void> {
    this.#lastTouchBySid.clear();
  }

  async #set(sid: string, document: SessionDocument, expiresAt: number): Promise<Revision> {
    // Taken before the store may change what it is given.
    const revision = contentRevision(document);
    await this.#calls.set(sid, expressSession(document, document.cookie, expiresAt));
    this.#lastTouchBySid.set(sid, { expiresAt });
    return revision;
  }

  async #clear(): Promise<void> {
    await this.#calls.clear();
    this.#lastTouchBySid.clear();
  }

  #deadline(sid: string, cookie: CookieDocument): number {
    return this.#knownDeadline(sid, cookie) ?? this.#clock.now() + (cookie.originalMaxAge ?? this.#ttlMs);
  }

  /** Where another process has extended the session beyond what is known here, a full life: never one that is over. */
  #kept(sid: string, cookie: CookieDocument): number {
    const deadline = this.#deadline(sid, cookie);
    const now = this.#clock.now();
    return deadline > now ? deadline : now + (cookie.originalMaxAge ?? this.#ttlMs);
  }

  #knownDeadline(sid: string, cookie: CookieDocument): number | undefined {
    const touched = this.#lastTouchBySid.get(sid)?.expiresAt ?? Number.NEGATIVE_INFINITY;
    const stored = Date.parse(cookie.expires ?? "");
    const latest = Number.isNaN(stored) ? touched : Math.max(stored, touched);
    return latest === Number.NEGATIVE_INFINITY ? undefined : latest;
  }
}

function documentsOf(sessions: unknown): Record<string, SessionDocument> | SessionDocument[] {
  if (Array.isArray(sessions)) return sessions.map(documentOf);
  if (!isRecord(sessions)) return {};
  return Object.fromEntries(
    Object.entries(sessions).flatMap(([sid, session]) =>
      isRecord(session) ? [[sid, documentOf(session)]] : [],
    ),
  );
}
