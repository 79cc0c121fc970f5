import type { SessionData } from "express-session";
import type { SocketSessionError } from "./base/errors.ts";
import type { FeedState } from "./live/feed.ts";
import type { RefusalCode } from "./protocol.ts";
import type { EndReason, StoredEndReason } from "./session-store.ts";

/**
 * The type of an application's session data: its augmentation of express-session's `SessionData`, without `cookie`. Any
 * key may be missing, as in `req.session`.
 */
export type AppData = {
  -readonly [K in keyof SessionData as K extends "cookie" ? never : K]?: SessionData[K];
};

/** `T` as JSON returns it, frozen: a Date is a string. */
export type DeepReadonly<T> = T extends Date
  ? string
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/**
 * - `live`: stored, and as up to date as the change feed.
 * - `guest`: this socket connected without a stored session (`guests: "allow"` or `"create"`). With `"create"` the first
 *   write stores the guest's session, which is `live` from then on.
 * - `ended`: logged out, expired, revoked, displaced or replaced; this state is final.
 */
export type SessionState = "live" | "guest" | "ended";

/** How a session ends. */
export interface SessionEndOptions {
  /** Default: `destroyed`, as by a logout. */
  reason?: "destroyed" | "revoked";
  /** Words for the page, which gets them with `session:end` on every node: 1 to 200 characters. */
  message?: string;
}

export interface SessionEvents {
  /** The data changed, on this node or another: the new data, and the previous. */
  change: [data: DeepReadonly<AppData>, previous: DeepReadonly<AppData>];
  /**
   * `expiresAt` has moved, later or earlier: the new deadline, and the one before, in milliseconds since the epoch; that of
   * a guest is `Infinity`. Extensions are not published. Another node's is known here when this node next reads the
   * session: at the old deadline at the latest, if the store can be read then.
   *
   * A move of less than a second, or of a tenth of the time left if that is less, is no event until it adds up with others:
   * some stores give times no more exactly.
   */
  extend: [expiresAt: number, previous: number];
  /**
   * The session is over, and nothing passes through its sockets in either direction, though they may still be about to
   * disconnect. `message`: the words that the end was given for the page.
   */
  end: [reason: EndReason, message?: string];
}

/** One session as a socket or a request sees it. Safe to use at any time, also after the end. */
export interface LiveSession {
  /**
   * The current data, deeply frozen: writing to a key throws `SESSION_READ_ONLY`. A property read, no I/O. After the
   * end: the last data seen.
   */
  readonly data: DeepReadonly<AppData>;
  /** The session's public name, a keyed hash of its id: for rooms, logs and messages. Empty for a guest without one (`guests: "allow"`). */
  readonly publicId: string;
  /** The user of the session, by the `userId` option. */
  readonly userId: string | undefined;
  /** When the session ends without further activity, in milliseconds since the epoch. `Infinity` for a guest. */
  readonly expiresAt: number;
  readonly state: SessionState;

  /**
   * Changes the session in one transaction: the changes that `fn` makes to the draft are written in one atomic step, on
   * top of the stored version, or not at all. Resolves to the result of `fn`. Calls for one session run one after another
   * in a process. `fn` may be async. It runs again, on fresh data, if another writer wins (a request's save in this
   * process included), so it should do nothing but change the draft.
   *
   * Rejects with `INVALID_OPTION` (no function), `SESSION_ENDED`, `SESSION_NESTED_UPDATE` (called inside itself), `SESSION_UPDATE_TIMEOUT`,
   * `SESSION_CONTENTION`, `SESSION_INVALID_DATA`, `SESSION_GUEST`, `STORE_FAILED`, `STORE_TIMEOUT`, or with what
   * `fn` throws; nothing is written then (after `STORE_TIMEOUT` it may have been). With `USER_SESSIONS_FULL`, if the update
   * gives the session a user who has as many as `sessionsPerUser` allows: the session has then ended.
   */
  update<R>(fn: (draft: AppData) => R | Promise<R>): Promise<R>;

  /** Reads the store and resolves to the data, a guest's to `{}`; rejects with `SESSION_ENDED` if the session is over. */
  reload(): Promise<DeepReadonly<AppData>>;

  /**
   * Ends the session everywhere: removes it from the store and closes its sockets. False if it was already over, or never
   * stored. A guest without a session (`guests: "allow"`) stays connected.
   * Rejects with `INVALID_OPTION` for any other reason or option, before anything ends.
   */
  end(end?: "destroyed" | "revoked" | SessionEndOptions): Promise<boolean>;

  /** Like `once` and `off`, throws `INVALID_OPTION` if there is no such event, or if `listener` is not a function. */
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  once<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
}

interface LifecycleBase {
  /** When this process learned of it, in milliseconds since the epoch. */
  readonly at: number;
  /** The client's address. Behind a trusted proxy, the one that this proxy gives. Undefined if there is none, or it is not known. */
  readonly address: string | undefined;
}

interface SessionLifecycle extends LifecycleBase {
  readonly publicId: string;
  /** By the `userId` option. Undefined if the session has no user, or if this process does not know its data. */
  readonly userId: string | undefined;
}

/** On whose behalf this process has stored or ended a session: a request's, a socket's, or the server's own code. */
type Cause = "request" | "socket" | "application";

/** An entry of the log of life cycles (OWASP ASVS 16.3). Frozen, and without secrets: no session id, cookie or data. */
export type LifecycleEvent =
  /** This process has stored the session for the first time. */
  | (SessionLifecycle & { readonly type: "created"; readonly by: Cause })
  /**
   * This process has stored data by which the session has a user that it had not. Without the `userId` option: it was
   * stored by `sessions.login()`.
   */
  | (SessionLifecycle & { readonly type: "login"; readonly by: Cause })
  /** A page has renewed its session and its cookie, by `POST /renew` of `sessions.routes()`. */
  | (SessionLifecycle & { readonly type: "renewed"; readonly by: "request" })
  /**
   * The session is over. `time`: it has expired. `elsewhere`: another node or another package has ended it, and this process
   * had it live. Both may be reported by several nodes, the others by the one that ended it.
   */
  | (SessionLifecycle & {
      readonly type: "ended";
      readonly reason: StoredEndReason;
      readonly by: Cause | "time" | "elsewhere";
    })
  /** A client was not let in. */
  | (LifecycleBase & { readonly type: "refused"; readonly code: RefusalCode })
  /**
   * A rule of `sessions.require()` has refused a request or a socket, or has taken a socket out of its namespace or a room: one
   * event for each request and each socket. `code`: the rule's.
   */
  | (SessionLifecycle & {
      readonly type: "forbidden";
      readonly code: string;
      /**
       * Of a request: as it was sent, without the query string. This and the names below are cut off after 500 characters,
       * and control characters are escaped, as in JSON.
       */
      readonly path: string | undefined;
      /** Of a socket. */
      readonly namespace: string | undefined;
      /** Of a socket that has left only this room. */
      readonly room: string | undefined;
    });

/** The events of a `LiveSessions`. A listener that throws is reported as `error`; the other listeners still run. */
export interface LiveSessionsEvents {
  /** A session changed: by this node, or any session that is live on it. */
  change: [change: { publicId: string; userId: string | undefined; data: DeepReadonly<AppData> }];
  /** A session ended: by this node, or any session that was live on it. */
  end: [end: { publicId: string; reason: EndReason; message?: string }];
  /**
   * A client was not admitted. `origin`: the page's, as sent. `host`: the host it was compared with. `cause`: the error
   * of the store, or of reading the stored session.
   */
  refuse: [
    refusal: {
      code: RefusalCode;
      address: string | undefined;
      origin: string | undefined;
      host: string | undefined;
      cause?: unknown;
    },
  ];
  /**
   * The log of life cycles, each event once in the process that caused it. Also published, of all sessions of the process,
   * to the channel `socket-session:lifecycle` of `node:diagnostics_channel`.
   */
  lifecycle: [event: LifecycleEvent];
  /** A save overwrote top-level keys that another writer had changed since the request loaded them. */
  conflict: [conflict: { publicId: string; keys: readonly string[] }];
  /** The store's change feed is whole, at the start or again; or it is cut, and an `error` gives the reason. */
  feed: [feed: { state: "whole" | "broken" }];
  /** A save of an ended session was dropped. */
  discard: [discarded: { publicId: string }];
  /** An operation failed that no caller waits for. Without a listener the error becomes a process warning. */
  error: [error: SocketSessionError];
}

const names: Readonly<Record<keyof LiveSessionsEvents, true>> = {
  ...{
    change: true,
    end: true,
    refuse: true,
    lifecycle: true,
    conflict: true,
    discard: true,
    feed: true,
    error: true,
  },
};
/** All events of `sessions`; the last two are Node's own. */
export const sessionsEvents: readonly string[] = [...Object.keys(names), "newListener", "removeListener"];

/** The result of `sessions.stats()`: the current state of this node, and counts since its start. */
export interface Stats {
  /** Sessions live on this node. Those of guests count once they are stored. */
  readonly live: number;
  /** Connections that hold a session or are guests. */
  readonly connections: number;
  readonly refused: Readonly<Record<RefusalCode, number>>;
  readonly touches: number;
  readonly conflicts: number;
  readonly discarded: number;
  readonly store: {
    readonly name: string;
    readonly atomic: boolean;
    /**
     * `none`: the store has no change feed; `opening`: not connected yet, at the start; `broken`: cut at the moment.
     */
    readonly feed: FeedState;
    /** The mechanism of the feed, such as `notify` or `change stream`; undefined if there is none, or it is not known yet. */
    readonly feedKind: string | undefined;
    /** The guarantees that this store can't give, in words. */
    readonly limits: readonly string[];
  };
}
