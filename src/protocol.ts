/** The messages between server and client beyond Socket.IO's own packets. Specified in `docs/protocol.md`. */

/**
 * Sent to every socket of a session that ends for good, before it is disconnected. If `attach(io, { share })` was given, also with the
 * reason `replaced`, before the transport closes.
 */
export const endEvent = "session:end";

export interface EndMessage {
  readonly reason: EndReasonCode;
  /** The application's words for the page, if it gave any with the end. */
  readonly message?: string;
}

/**
 * Sent to a socket at which a rule no longer holds: `{ code, namespace }` before it is disconnected from the namespace,
 * `{ code, room }` as it leaves a room.
 */
export const forbiddenEvent = "session:forbidden";

export interface ForbiddenMessage {
  /** Of the rule: `SESSION_FORBIDDEN`, or the application's own. */
  readonly code: string;
  readonly namespace?: string;
  readonly room?: string;
}

/**
 * Sent to a socket as it connects to a namespace, and whenever the message would say something else, if
 * `attach(io, { share })` was given.
 */
export const stateEvent = "session:state";

/**
 * The page's session, with what the application shares of its data. Times are durations: the clocks of page and server
 * need not agree.
 */
export type StateMessage<Data = unknown> =
  | {
      readonly state: "live";
      /** The session's public name. No secret: it admits no one. */
      readonly publicId: string;
      /** How long the session goes on without further activity. */
      readonly leftMs: number;
      /** How long the browser keeps a cookie that is set now. Absent if it keeps the cookie until it is closed. */
      readonly cookieMs?: number;
      /** The result of `share`. Absent if it shares nothing. */
      readonly data?: Data;
    }
  | { readonly state: "guest"; readonly data?: undefined };

/** An application's events from server to client, with those of the session: `Socket<WithSession<ServerToClient>>`. */
export type WithSession<ServerToClient, Data = unknown> = ServerToClient & {
  [endEvent]: (message: EndMessage) => void;
  [forbiddenEvent]: (message: ForbiddenMessage) => void;
  [stateEvent]: (message: StateMessage<Data>) => void;
};

/** Why a session's sockets were closed, and the reaction of a stock client: it stops, or reconnects by itself. */
export const endReasons = {
  destroyed: { client: "stops", meaning: "the user logged out" },
  expired: { client: "stops", meaning: "the session's time was over" },
  revoked: { client: "stops", meaning: "the session was ended from outside" },
  displaced: {
    client: "stops",
    meaning: "the user logged in elsewhere, and the number of their sessions is limited",
  },
  replaced: { client: "reconnects", meaning: "the session got a new id, as at login" },
  unverified: {
    client: "reconnects",
    meaning: "the session's time seemed over and the store could not be asked",
  },
} as const;

export type EndReasonCode = keyof typeof endReasons;

/**
 * Why a socket was refused. Codes at which a stock client stops are in `connect_error`'s `err.data.code`. For the
 * others there is no Socket.IO connection yet: the code is in the body of the answer, as `data.code`, and a stock
 * client retries with back-off.
 */
export const refusals = {
  SESSION_REQUIRED: { client: "stops", meaning: "no session cookie came along: log in first" },
  SESSION_INVALID: {
    client: "stops",
    meaning: "the session cookie is damaged, or signed with another secret",
  },
  SESSION_ENDED: {
    client: "stops",
    meaning: "the cookie's session is over, or was never stored: log in again",
  },
  TICKET_INVALID: {
    client: "stops",
    meaning: "the ticket is not good for this page and session, or no longer: fetch another one",
  },
  TOO_MANY_SOCKETS: {
    client: "stops",
    meaning: "the session has as many sockets as it may have: close some of its pages",
  },
  STORE_UNAVAILABLE: {
    client: "retries",
    meaning: "the session store did not answer, or this server is about to stop",
  },
  ORIGIN_REFUSED: {
    client: "retries",
    meaning: "the page's origin is neither the server's own nor listed in `origins`",
  },
  COOKIE_MISMATCH: {
    client: "retries",
    meaning: "a poll or upgrade carried another session than its handshake",
  },
  COOKIE_MISSING: {
    client: "retries",
    meaning:
      "a poll or upgrade came without the session cookie of its handshake: the client has to send it with every request",
  },
  JSONP_REFUSED: { client: "retries", meaning: "JSONP polling carries no Origin and is not served" },
  TRANSPORT_REFUSED: { client: "retries", meaning: "WebTransport carries no cookie" },
  BAD_REQUEST: { client: "retries", meaning: "the request's address could not be read" },
} as const;

export type RefusalCode = keyof typeof refusals;

/** `err.data` of a refused client's `connect_error`, and `data` in the body of an HTTP answer. */
export interface RefusalData {
  readonly code: RefusalCode;
}
