import type { ForbiddenMessage } from "../protocol.ts";
import type { SessionSnapshot } from "./snapshot.ts";

export interface SessionClientOptions {
  /**
   * Where the server has mounted `sessions.routes()`, such as "/session". Without it the page makes no requests, and renews no
   * cookie.
   */
  readonly routes?: string | undefined;
  /** How long before the session's end `expiring` is emitted, in milliseconds. A minute by default. */
  readonly warnMs?: number | undefined;
  /** Tabs with the same name follow each other's logins: applications on one origin need different ones. `routes` by default. */
  readonly name?: string | undefined;
}

export interface SessionClientEvents<Data = unknown> {
  /** The snapshot has changed. */
  readonly change: SessionSnapshot<Data>;
  /** The session ends in that many milliseconds, unless it is extended. Once for each deadline. With `routes` the page asks the server first. */
  readonly expiring: number;
  /** The session is over. */
  readonly end: SessionSnapshot<Data>;
  /** The page was not let in. */
  readonly refused: SessionSnapshot<Data>;
  /** A rule of the server no longer holds: the socket leaves the namespace, or has left a room. */
  readonly forbidden: ForbiddenMessage;
}

/** The session of a page, as its socket sees it. No function needs `this`. */
export interface SessionClient<Data = unknown> {
  /** The current state: the same frozen object until something changes. */
  readonly getSnapshot: () => SessionSnapshot<Data>;
  /** Calls `listener` after each change. Returns a function that removes it. */
  readonly subscribe: (listener: () => void) => () => void;
  /** Returns a function that removes the listener. An error of a listener is thrown by itself, and stops nothing. */
  readonly on: <E extends keyof SessionClientEvents<Data>>(
    event: E,
    listener: (value: SessionClientEvents<Data>[E]) => void,
  ) => () => void;
  /**
   * How long until the session ends unless it is extended, in milliseconds. Undefined if that is not known. The clock of the
   * computer makes no difference.
   */
  readonly leftMs: number | undefined;
  /**
   * Call it when a login over HTTP has answered: it connects this tab and the others again, so that they send the new cookie. Tabs whose
   * socket the application has disconnected, or not connected yet, stay so. Resolves once this tab is live, a guest, refused or
   * ended. Never rejects.
   */
  readonly loggedIn: () => Promise<SessionSnapshot<Data>>;
  /** Optional after a logout over HTTP has answered: ends the session in this tab and the others, if the server has not done so. */
  readonly loggedOut: () => void;
  /**
   * Extends the session, as any activity does, and renews the cookie if there are `routes`. Resolves to false if the server did not
   * answer, or there is no session. Never rejects.
   */
  readonly stay: () => Promise<boolean>;
  /** Removes what this client has added to the socket and the page. The socket itself stays as it is. */
  readonly close: () => void;
}
