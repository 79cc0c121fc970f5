/** After a refusal: log in; wait, as the client tries again by itself; or stop, as the page can do nothing. */
export type Help = "login" | "retry" | "stop";

/** The state of the page's session. */
export interface SessionSnapshot<Data = unknown> {
  /**
   * - `connecting`: not known yet; or connecting again after a login; or disconnected by the application.
   * - `live`: connected, with a session.
   * - `guest`: connected, without one.
   * - `refused`: not let in, for the reason `code`. With `help: "retry"` the client tries again by itself.
   * - `ended`: the session is over, for the reason `reason`. The client stays away until `loggedIn()`, or `connect()` of its socket.
   * - `lost`: there is no connection, and the client tries again by itself. `publicId`, `data` and `expiresAt` are as before.
   */
  readonly state: "connecting" | "live" | "guest" | "refused" | "ended" | "lost";
  /** The session's name for rooms, logs and messages. */
  readonly publicId?: string | undefined;
  /** What the server shares. */
  readonly data?: Data | undefined;
  /** When the session ends unless it is extended: milliseconds since the epoch, by the clock of the page. */
  readonly expiresAt?: number | undefined;
  /** Of the table `refusals`, or the application's own. */
  readonly code?: string | undefined;
  readonly help?: Help | undefined;
  /** Of the table `endReasons`; undefined if the server closed the socket without a reason. */
  readonly reason?: string | undefined;
  /** The server's words for the refusal or the end, if it sent any. */
  readonly message?: string | undefined;
}

/** Deadlines that are closer to each other are the same one: answers take different times. */
const sameMs = 1_000;

export const isSameTime = (one = 0, other = 0) => Math.abs(one - other) < sameMs;

const isSame = (one: unknown, other: unknown) => JSON.stringify(one) === JSON.stringify(other);

/** `next`, with the values of `last` where they are the same; `last` itself if all are. */
export function succeed<Data>(
  last: SessionSnapshot<Data>,
  next: SessionSnapshot<Data>,
): SessionSnapshot<Data> {
  const merged = {
    ...next,
    data: isSame(last.data, next.data) ? last.data : next.data,
    expiresAt: isSameTime(last.expiresAt, next.expiresAt) ? last.expiresAt : next.expiresAt,
  };
  return isSame(last, merged) ? last : Object.freeze(merged);
}
