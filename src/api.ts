import type { SessionData } from "express-session";
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
