/**
 * The port between the hub and a database. Every store adapter implements it, and the conformance suite tests it.
 *
 * An adapter keeps whole session documents (as `express-session` serialises them, with `cookie`) under their id and
 * writes them conditionally. It knows nothing of sockets, requests or merging.
 */
import type { EndReasonCode } from "./protocol.ts";

/** The names of a session: `sid` is the secret in the cookie, the public ids are keyed hashes of it. */
export interface SessionKey {
  readonly sid: string;
  /** The only name that may appear in logs, rooms and messages. */
  readonly publicId: string;
  /** The public id under each configured secret, newest first, so that nodes recognise it during a rotation. */
  readonly publicIds: readonly string[];
}

/** The cookie's attributes, as `express-session` keeps them in the document. */
export interface CookieDocument {
  originalMaxAge?: number | null;
  expires?: string | null;
  [attribute: string]: unknown;
}

/** A session as stored: plain JSON, with the application's top-level keys next to `cookie`. */
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
 * - `expired`: its deadline passed.
 * - `revoked`: ended from outside, by `sessions.end()`.
 * - `displaced`: at a login of its user, who then had more sessions than the option `sessionsPerUser` allows.
 * - `replaced`: it got a new id (`regenerate`).
 * - `unverified`: its deadline passed while the store could not be read; the stored session may still exist.
 */
export type EndReason = EndReasonCode;

/** Why a session ended in the store. Never `unverified`: that is one node's view. */
export type StoredEndReason = Exclude<EndReason, "unverified">;

/**
 * How a change names its session: by `publicIds` as in {@link SessionKey}, of which the listener knows at least one; or
 * by `sid`, where the database's own events name the key.
 */
export type ChangedSession =
  | { readonly publicIds: readonly string[]; readonly sid?: never }
  | { readonly sid: string; readonly publicIds?: never };

/**
 * A writer's change. `write` is the token passed to `replace`, by which a node recognises its own writes. It is absent
 * if another package wrote, or if the database does not say why a session is gone: the listener then reads the session.
 */
export type SessionChange = ChangedSession &
  (
    | { readonly kind: "changed"; readonly write?: string }
    | { readonly kind: "ended"; readonly reason: StoredEndReason; readonly message?: string }
  );

/** Receives the change feed. A listener that throws affects neither the store nor other listeners. */
export interface FeedListener {
  changed(change: SessionChange): void;
  /** A note that a `tell` of any process has published, this one's own included. Absent: notes are passed over. */
  told?(note: string): void;
  /**
   * Everything published before `asOf` (milliseconds since the epoch) has been delivered. A feed over a network calls it
   * about every `heartbeatMs`, after a heartbeat has travelled through the database. A feed that never calls it is
   * trusted while it is whole.
   */
  alive?(asOf: number): void;
  /** The feed is cut: changes may be missed until `missed` is called. */
  broken(error: unknown): void;
  /** The feed is connected again, or it overran. Changes may have been missed: read everything again. */
  missed(): void;
}

export interface FeedOptions {
  /** How often a feed over a network proves that it is alive. After about twice that time in silence it is `broken`. */
  readonly heartbeatMs: number;
}

/** The properties of a feed. */
export interface FeedTraits {
  /** For `stats()`: `notify`, `change stream`, … */
  readonly kind: string;
  /**
   * Whether it reports every write. False if a crash can come between a write and its message, or if other packages
   * write without publishing. Live sessions are then also read regularly.
   */
  readonly complete: boolean;
}

export type Unsubscribe = () => Promise<void>;

/** A session in the index of its user. */
export interface UserSession {
  readonly sid: string;
  /** When it became this user's, for example at login, in milliseconds since the epoch. */
  readonly since: number;
  /** Null if the stored session can't be read. */
  readonly stored: StoredSession | null;
}

/**
 * Holds for all operations:
 *
 * - Any may reject. The hub's error then names the store, the operation and the session.
 * - Ids and users are arbitrary strings: any unicode, lone surrogates, NUL, hostile to the query language, of any length.
 *   A store that can't keep an id rejects `create`, and says why. Times are compared with the adapter's clock.
 * - The caller owns the documents that it passes. It may change or freeze one as soon as `create` or `replace` has
 *   returned its promise. The store keeps no part of a document, and does not change it.
 * - A stored session that can't be read (damaged, of another shape, nested too deeply) fails alone. `read` and
 *   `readMany` reject with `SESSION_UNREADABLE` if it is among the keys; `listByUser` lists it with `stored: null`;
 *   `all` leaves it out; `destroy` removes it. Messages quote nothing of it. (A wrapped store may treat it as missing.)
 * - An operation may take any time, and the caller may give up. The operation may still take effect, and its late answer
 *   does no harm. A write is published once, however late its answer is; one that rejects may have taken effect.
 *   `close` and the end of a subscription resolve within seconds, even while the database does not answer.
 */
export interface SessionStore {
  /** For errors and `stats()`: `memory`, `sqlite`, … */
  readonly name: string;

  /** True if `create` and `replace` are atomic with respect to every writer of the database, in any process. */
  readonly atomic: boolean;

  /**
   * True for a wrapped `express-session` store. Requests then get its own errors, as with `express-session`, so that an
   * application's handling of them keeps working.
   */
  readonly isWrapped?: boolean;

  /** How long a session without a `cookie.maxAge` lives, if the store has an option for it. */
  readonly ttlMs?: number;

  /**
   * The session, or null if it is not stored or has expired. Only a store that is not `atomic` may return a deadline in
   * the past: another process has extended the session, which the database still has. Read it again later.
   */
  read(key: SessionKey): Promise<StoredSession | null>;

  /** As `read`, for many sessions in one round trip, in the order of `keys`. Absent: they are read concurrently. */
  readMany?(keys: readonly SessionKey[]): Promise<(StoredSession | null)[]>;

  /**
   * Stores a new session and returns its revision. Returns null and changes nothing if a session with this id is stored
   * and not expired. Not published: no node can know the session yet. `user`: see `listByUser`. `isNewId`: the id has
   * just been generated, so a store need not check whether it is taken.
   */
  create(
    key: SessionKey,
    document: SessionDocument,
    expiresAt: number,
    user?: string,
    isNewId?: boolean,
  ): Promise<Revision | null>;

  /**
   * Writes if the stored revision is still `expected`, and returns the new revision; otherwise returns null and changes
   * nothing. `expiresAt` moves the deadline, later or earlier; `"keep"` leaves it. Never creates: a session that is gone
   * or expired stays so. A revision names a version, and other content never gets it again. (Stores with a format of
   * their own give each write a new revision; in another package's format the revision names the content.) The write and
   * its publication are one atomic step, unless `feed` says otherwise. `write` is the unique token of this write; the
   * feed publishes it. `isNewUser`: `expected` was no session of `user`, so `since` starts now, even if the index still
   * lists the session under `user` from an earlier login.
   */
  replace(
    key: SessionKey,
    expected: Revision,
    document: SessionDocument,
    expiresAt: number | "keep",
    user?: string,
    write?: string,
    isNewUser?: boolean,
  ): Promise<Revision | null>;

  /**
   * Extends the life of a stored session to `expiresAt`. Never shortens it, never creates, keeps the revision, and is
   * not published. False, not an error, if the session is gone or expired. `cookie` is for wrapped stores that need it.
   * `user` is indexed only if the session has no user in the index: it may be outdated.
   */
  touch(key: SessionKey, expiresAt: number, cookie: CookieDocument, user?: string): Promise<boolean>;

  /**
   * Removes the session and publishes `reason` in one atomic step. Returns false and publishes nothing if there was no
   * session. `isNewId`: as for `create`. `message`: the application's words for the page, of up to 200 characters; the
   * feed publishes them if it can.
   */
  destroy(key: SessionKey, reason: StoredEndReason, isNewId?: boolean, message?: string): Promise<boolean>;

  /**
   * Subscribes to the changes of all writers of this database, including this store object. Resolves once no later change
   * can be missed silently: the feed is whole, or `broken` has been called because the database could not be reached.
   * The store reopens a feed that is cut, at the start or later, and then calls `missed`. If it rejects, the hub calls
   * it again every second. Absent if the database has no feed.
   */
  changes?(listener: FeedListener, options: FeedOptions): Promise<Unsubscribe>;

  /**
   * Publishes a note to all listeners of the feed, in all processes. `note`: well-formed text of up to 4 KB, without NUL.
   * Resolves once it is published; a call that rejects may have published it. A feed that is cut loses notes without a word. Notes and
   * changes come in any order. Absent if the feed can't carry them: nodes then can't ask each other which sockets they have.
   */
  tell?(note: string): Promise<void>;

  /** The properties of the feed, once they are known. */
  readonly feed?: FeedTraits | undefined;

  /**
   * The sessions of a user that are stored and not expired, in no order. Absent if the store has no index. The index
   * holds the `user` of each `create`, `replace` and `touch`, and is written no later than the session: a crash may leave
   * an entry too many, but none is missing. A listed session may have another user by now: check its data. Entries of
   * ended sessions are removed eventually.
   */
  listByUser?(user: string): Promise<UserSession[]>;

  /**
   * Keeps `value` until `expiresAt`, for one `takeTicket` of any process. `id`: 43 characters of base64url, never given
   * twice; a hash, so that a reader of the database can't use it. `value`: JSON text of up to some 4 KB. No other operation
   * finds a ticket; `clear` may leave it. Absent, like `takeTicket`, if the database can't take atomically. Rejects with
   * `STORE_UNSUPPORTED` if the place for tickets is missing and can't be made.
   */
  putTicket?(id: string, value: string, expiresAt: number): Promise<void>;
  /**
   * Removes a ticket and returns its value, in one atomic step: of all calls, in all processes, one at most gets it. Null if
   * there is none, or it has expired. A call that rejects may have removed it. The store removes expired tickets eventually.
   */
  takeTicket?(id: string): Promise<string | null>;

  /** All sessions that can be read and are not expired: by id, or (some wrapped stores) as a list. */
  all?(): Promise<Record<string, SessionDocument> | SessionDocument[]>;
  /** How many sessions are not expired. */
  count?(): Promise<number>;
  /** Removes all sessions. The feed's listeners receive `missed`, and find the sessions gone. */
  clear?(): Promise<void>;

  /**
   * Reports when the database disconnects and connects; in between `express-session` serves no session. The returned
   * function unsubscribes.
   */
  connectivity?(listener: (state: "connected" | "disconnected") => void): () => void;

  /**
   * Releases what the store opened itself (a file, timers, the feed's connection); never a client that was injected.
   * Operations begun before the call finish as usual. Later ones reject at once with `STORE_FAILED` and do nothing, and
   * no listener is called. Idempotent. `liveSessions` calls it in its own `close()`.
   *
   * Stores whose object is shared are the exception: `memoryStore()`, the database of all that share the object, and a
   * wrapped `express-session` store, which belongs to its maker. Their `close` only releases what keeps the process
   * alive; operations and subscriptions go on.
   */
  close(): Promise<void>;
}
