/**
 * The port between the hub and a database: what every store adapter implements, and what the conformance suite tests.
 *
 * An adapter keeps whole session documents (what `express-session` serialises, `cookie` included) under their id and
 * writes them conditionally. It knows nothing of sockets, requests or merging.
 */
import type { EndReasonCode } from "./protocol.ts";

/** How a session is named: `sid` is the secret a cookie carries, the public ids are keyed hashes of it. */
export interface SessionKey {
  readonly sid: string;
  /** The one name of the session that may appear in logs, rooms and messages. */
  readonly publicId: string;
  /** The same under every configured secret, newest first: during a rotation nodes know each other's names. */
  readonly publicIds: readonly string[];
}

/** What `express-session` keeps of a cookie inside the document. */
export interface CookieDocument {
  originalMaxAge?: number | null;
  expires?: string | null;
  [attribute: string]: unknown;
}

/** A session as it is stored: plain JSON, the application's top-level keys beside `cookie`. */
export interface SessionDocument {
  cookie: CookieDocument;
  [key: string]: unknown;
}

/** Names one version of a stored session. Opaque: compare with `===`, never order. */
export type Revision = string | number;

export interface StoredSession {
  /** A fresh copy on each read: the caller may change it. */
  readonly document: SessionDocument;
  /** When the session ends unless it is extended, in milliseconds since the epoch. */
  readonly expiresAt: number;
  readonly revision: Revision;
}

/**
 * Why a session ended.
 * - `destroyed`: logged out, by `session.destroy()` or `end()`.
 * - `expired`: its time was over.
 * - `revoked`: ended from outside, by `sessions.end()`.
 * - `replaced`: it got a new id (`regenerate`).
 * - `unverified`: its deadline passed while the store could not be asked; the stored session may live on.
 */
export type EndReason = EndReasonCode;

/** Why a session ended in the store. Never `unverified`, which is what one node does not know. */
export type StoredEndReason = Exclude<EndReason, "unverified">;

/**
 * How a change names its session: by `publicIds` as in {@link SessionKey}, one of which the listener knows; or by its id,
 * where the database's own events name their keys.
 */
export type ChangedSession =
  | { readonly publicIds: readonly string[]; readonly sid?: never }
  | { readonly sid: string; readonly publicIds?: never };

/**
 * Something that a writer did. `write` is the token that `replace` was given, so that a node knows its own writes again;
 * absent where another package wrote, or where the database does not say why a session is gone: then the listener reads.
 */
export type SessionChange = ChangedSession &
  (
    | { readonly kind: "changed"; readonly write?: string }
    | { readonly kind: "ended"; readonly reason: StoredEndReason }
  );

/** Receives the change feed. A listener that throws disturbs neither the store nor other listeners. */
export interface FeedListener {
  changed(change: SessionChange): void;
  /**
   * Everything published before `asOf` (milliseconds since the epoch) has been told. Called about every `heartbeatMs`
   * by a feed that comes over a network, once a sign of life has travelled through the database; a feed that never
   * calls it is trusted while it is whole.
   */
  alive?(asOf: number): void;
  /** The feed is cut: from now on changes may be missed, until `missed` is called. */
  broken(error: unknown): void;
  /** The feed is whole again, or was whole but overran: changes may have been missed, so read everything again. */
  missed(): void;
}

export interface FeedOptions {
  /** How often a feed over a network proves that it is alive; one silent for about twice as long is `broken`. */
  readonly heartbeatMs: number;
}

/** What a feed is made of. */
export interface FeedTraits {
  /** For `stats()`: `notify`, `change stream`, … */
  readonly kind: string;
  /**
   * Whether it tells of every write. Not where a write and its message are two steps, and a crash may come between; nor
   * where other packages write without one. Then live sessions are read regularly besides.
   */
  readonly complete: boolean;
}

export type Unsubscribe = () => Promise<void>;

/** A session in the index of its user. */
export interface UserSession {
  readonly sid: string;
  /** When it became this user's, as at the login, in milliseconds since the epoch. */
  readonly since: number;
  /** Null where it is stored and can't be read. */
  readonly stored: StoredSession | null;
}

/**
 * Holds for all operations:
 *
 * - Any may reject: the hub names the store, the operation and the session in the error it makes of that.
 * - Ids and users are arbitrary strings: any unicode, lone surrogates, NUL, hostile to the query language, of any length.
 *   A store that can't keep an id rejects `create`, and says why. Times are compared to the adapter's clock.
 * - A document that is handed over stays the caller's, who may change or freeze it as soon as `create` or `replace` has
 *   returned its promise. The store keeps no part of it, and does not change it.
 * - A session that is stored and can't be read (damaged, of another shape, nested too deeply) fails alone. `read` and
 *   `readMany` reject with `SESSION_UNREADABLE` where it is among the keys; `listByUser` lists it with `stored: null`;
 *   `all` leaves it out; `destroy` removes it. Messages quote nothing of it. (A wrapped store may take one for none.)
 * - An operation may take as long as it likes, and the caller may give up: it may be done all the same, and what it answers
 *   late does no harm. A write is published once, however late its answer is, and one that rejects may have been done.
 *   While the database does not answer, `close` and the end of a subscription resolve within seconds all the same.
 */
export interface SessionStore {
  /** For errors and `stats()`: `memory`, `sqlite`, … */
  readonly name: string;

  /** True if `create` and `replace` are atomic towards every writer of the database, in whatever process. */
  readonly atomic: boolean;

  /**
   * True for a store of `express-session` itself. Requests are then given its own errors, as `express-session` would:
   * what an application does with them goes on working.
   */
  readonly isWrapped?: boolean;

  /** How long a session without a `cookie.maxAge` lives, where the store's options say so. */
  readonly ttlMs?: number;

  /**
   * The session, or null if it is not stored or its time is over. Only a store that is not `atomic` may return a
   * deadline in the past: its database still has the session, extended by another process, and is to be asked again.
   */
  read(key: SessionKey): Promise<StoredSession | null>;

  /** As `read`, for many sessions in one round trip; in the order of `keys`. Absent: they are read side by side. */
  readMany?(keys: readonly SessionKey[]): Promise<(StoredSession | null)[]>;

  /**
   * Stores a new session and returns its revision; null, and no change, if one with this id is stored and not expired.
   * Not published: nobody can have heard of it. `user`: see `listByUser`. `isNewId`: the id has been generated for this
   * session, so that a store that would have to ask first whether it is taken need not.
   */
  create(
    key: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
    isNewId?: boolean,
  ): Promise<Revision | null>;

  /**
   * Writes if the stored revision still is `expected` and returns the new revision; else returns null and changes
   * nothing. `expiresAt` sets the life time anew (longer or shorter); `"keep"` leaves the stored one. Never creates: a
   * session that is gone or expired stays so. A revision names a version: another content never has it again. (Stores
   * in a format of their own give each write another one; where the format is another package's it names content.) One
   * atomic step together with its publication to the feed, unless `feed` says otherwise. `write` names this write, and no
   * other; the feed tells it.
   */
  replace(
    key: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write?: string,
  ): Promise<Revision | null>;

  /**
   * Extends the life of a stored session to `expiresAt`; never shortens it, never creates, leaves the revision and is
   * not published. False if the session is gone or expired (no error). `cookie` is for wrapped stores that want it. `user`
   * is entered where the session has none in the index; it may be one of before, so another stays listed.
   */
  touch(key: SessionKey, expiresAt: number, cookie: CookieDocument, user?: string): Promise<boolean>;

  /**
   * Removes the session and publishes `reason`; false, and nothing published, if there was none. One atomic step.
   * `isNewId`: as for `create`.
   */
  destroy(key: SessionKey, reason: StoredEndReason, isNewId?: boolean): Promise<boolean>;

  /**
   * Listens to the changes of all writers of this database, this store object's own included. Resolves once nothing that
   * happens from then on can be missed silently: the feed is whole, or `broken` has been called, as the database could not
   * be reached. The store opens a feed that is cut again by itself, at the start as later, and then calls `missed`. A
   * rejection is final: the feed stays broken, and the hub reads instead. Absent where the database has no feed.
   */
  changes?(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe>;

  /** What the feed is made of, as soon as that is known. */
  readonly feed?: FeedTraits | undefined;

  /**
   * The sessions of a user, each stored and not expired, in no order. Absent where there is no index. It holds what
   * `create`, `replace` and `touch` were given as `user`, never later than the session itself: after a crash an entry
   * may be too many, none is missing. It may still list a session that has another user by now: compare its data.
   * Entries of sessions that are over are removed in time.
   */
  listByUser?(user: string): Promise<UserSession[]>;

  /** All sessions not expired that can be read: by id, or (some wrapped stores) as a list. */
  all?(): Promise<Record<string, SessionDocument> | SessionDocument[]>;
  /** How many sessions are not expired. */
  count?(): Promise<number>;
  /** Removes all sessions; other listeners of the feed are told `missed`, and find them gone. */
  clear?(): Promise<void>;

  /** Tells when the database comes and goes (`express-session` serves no session in between); returns the undoing. */
  connectivity?(listener: (state: "connected" | "disconnected") => void): () => void;

  /**
   * Releases what the store opened itself (a file, timers, a connection for its feed); never a client that was injected.
   * Operations begun before finish as usual. From the call on, later ones reject at once with `STORE_FAILED` and do nothing,
   * and no listener is called any more. Idempotent. `liveSessions` calls it in its own `close()`.
   *
   * The exception is a store whose object others may hold on to: `memoryStore()`, which is the database of all that share
   * the object, and a wrapped store of `express-session`, which is its maker's. Its `close` releases what keeps the process
   * alive and no more, and operations and subscriptions go on.
   */
  close(): Promise<void>;
}
