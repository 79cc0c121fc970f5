import type { SessionData } from "express-session";
import type { SocketSessionError } from "./base/errors.ts";
import type { FeedState } from "./live/feed.ts";
import type { RefusalCode } from "./protocol.ts";
import type { EndReason } from "./session-store.ts";

/**
 * What an application keeps in its sessions: its augmentation of express-session's `SessionData`, without `cookie`. Any
 * key may be missing, as in `req.session`.
 */
export type AppData = {
  -readonly [K in keyof SessionData as K extends "cookie" ? never : K]?: SessionData[K];
};

/** `T` as JSON gives it back, and frozen: a Date is a string. */
export type DeepReadonly<T> = T extends Date
  ? string
  : T extends (...args: never[]) => unknown
    ? T
    : T extends object
      ? { readonly [K in keyof T]: DeepReadonly<T[K]> }
      : T;

/**
 * - `live`: stored, and as up to date as the change feed.
 * - `guest`: this socket came without a stored session (`guests: "allow"`).
 * - `ended`: logged out, expired, revoked or replaced; it never becomes anything else again.
 */
export type SessionState = "live" | "guest" | "ended";

export interface SessionEvents {
  /** The data have changed, here or anywhere: the new data, and those before. */
  change: [data: DeepReadonly<AppData>, previous: DeepReadonly<AppData>];
  /** The session is over; its sockets are closed already. */
  end: [reason: EndReason];
}

/** One session as a socket or a request sees it. Safe to touch at any time, also after the end. */
export interface LiveSession {
  /**
   * The current data, deeply frozen: writing to a key of it throws `SESSION_READ_ONLY`. A property read, no I/O. After
   * the end: the last that were seen.
   */
  readonly data: DeepReadonly<AppData>;
  /** The session's public name, a keyed hash of its id: for rooms, logs and messages. Empty for a guest. */
  readonly publicId: string;
  /** Whose session it is, by the `userId` option. */
  readonly userId: string | undefined;
  /** When it ends unless somebody is active, in milliseconds since the epoch. `Infinity` for a guest. */
  readonly expiresAt: number;
  readonly state: SessionState;

  /**
   * Changes the session in one transaction: what `fn` does to the draft is written in one atomic step, on top of
   * what is stored, or not at all. Resolves to what `fn` returns. Calls for one session run one after another in a
   * process; `fn` may be async and runs again, on fresh data, when another writer was faster (a request's save of
   * this process included), so it should do nothing but change the draft.
   *
   * Rejects with `INVALID_OPTION` (no function), `SESSION_ENDED`, `SESSION_NESTED_UPDATE` (called inside itself), `SESSION_UPDATE_TIMEOUT`,
   * `SESSION_CONTENTION`, `SESSION_INVALID_DATA`, `SESSION_GUEST`, `STORE_FAILED`, `STORE_TIMEOUT`, or with what
   * `fn` throws; nothing is written then (after `STORE_TIMEOUT` it may have been).
   */
  update<R>(fn: (draft: AppData) => R | Promise<R>): Promise<R>;

  /** Reads the store and resolves to the data; rejects with `SESSION_ENDED` if the session is over. */
  reload(): Promise<DeepReadonly<AppData>>;

  /**
   * Ends the session everywhere: it is removed from the store and its sockets close. False if it was over already. Rejects
   * with `INVALID_OPTION` at another reason, before anything ends.
   */
  end(reason?: "destroyed" | "revoked"): Promise<boolean>;

  /** As `once` and `off`, throws `INVALID_OPTION` where there is no such event, or `listener` is no function. */
  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  once<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this;
}

/** What a `LiveSessions` tells. A listener that throws is reported as `error` and harms nobody else. */
export interface LiveSessionsEvents {
  /** A session changed: by this node, or any session that is live on it. */
  change: [change: { publicId: string; userId: string | undefined; data: DeepReadonly<AppData> }];
  /** A session ended: by this node, or any session that was live on it. */
  end: [end: { publicId: string; reason: EndReason }];
  /**
   * Somebody was not let in. `origin` is the page's, as it was sent, and `host` what it was compared with; `cause` is what
   * failed: the store, or the reading of what is stored.
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
  /** A save overwrote top-level keys that somebody else had changed since the request loaded them. */
  conflict: [conflict: { publicId: string; keys: readonly string[] }];
  /** The store's change feed is whole, at the start or again; or it is cut, and an `error` says why. */
  feed: [feed: { state: "whole" | "broken" }];
  /** A save of an ended session was dropped. */
  discard: [discarded: { publicId: string }];
  /** Something failed where nobody waits for an answer. Without a listener it becomes a process warning. */
  error: [error: SocketSessionError];
}

const names: Readonly<Record<keyof LiveSessionsEvents, true>> = {
  ...{ change: true, end: true, refuse: true, conflict: true, discard: true, feed: true, error: true },
};
/** All that can be listened to; the last two are Node's own. */
export const sessionsEvents: readonly string[] = [...Object.keys(names), "newListener", "removeListener"];

/** What `sessions.stats()` returns: how things stand on this node, and counts since its start. */
export interface Stats {
  /** Sessions live on this node. */
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
    /** `none`: the store has no change feed; `opening`: not there yet, at the start; `broken`: cut off at the moment. */
    readonly feed: FeedState;
    /** What the feed is made of, such as `notify` or `change stream`; undefined where there is none, or not known yet. */
    readonly feedKind: string | undefined;
    /** What cannot be promised over this store, in words. */
    readonly limits: readonly string[];
  };
}
