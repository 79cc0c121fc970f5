/**
 * Every error this package throws, in one table. Codes are stable; messages are not. Each message says what was
 * expected, what came, and the cure. `status` is what a route that fails with it is answered with by Express: 401 where
 * logging in helps, 409 where other writers won, 503 where the store is at fault, 500 where the program is.
 */
export const errorCodes = {
  SESSION_ENDED: { status: 401, meaning: "the session has ended; nothing was written" },
  SESSION_NESTED_UPDATE: {
    status: 500,
    meaning: "update() was called inside an update() of the same session, which would wait for itself",
  },
  SESSION_UPDATE_TIMEOUT: {
    status: 500,
    meaning: "the function given to update() did not settle in time; nothing was written",
  },
  SESSION_CONTENTION: {
    status: 409,
    meaning: "other writers won every attempt of this write; nothing was written",
  },
  SESSION_GUEST: { status: 401, meaning: "this socket or request has no stored session to write to" },
  SESSION_INVALID_DATA: { status: 500, meaning: "the data cannot be kept in a session" },
  SESSION_READ_ONLY: { status: 500, meaning: "this view of the session cannot be written to" },
  STORE_FAILED: { status: 503, meaning: "the session store answered with an error" },
  STORE_TIMEOUT: { status: 503, meaning: "the session store did not answer in time" },
  STORE_UNSUPPORTED: { status: 500, meaning: "this session store has not got what was asked for" },
  STORE_OPEN: { status: 503, meaning: "the session store could not be opened" },
  LISTENER_FAILED: { status: 500, meaning: "a listener of the application threw" },
  INVALID_OPTION: { status: 500, meaning: "an option is missing or wrong" },
  UNSUPPORTED_UPSTREAM: { status: 500, meaning: "a package this one builds on is too old or has changed" },
} as const satisfies Record<string, { readonly status: number; readonly meaning: string }>;

export type ErrorCode = keyof typeof errorCodes;

export class SocketSessionError extends Error {
  override readonly name: string = "SocketSessionError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
  }

  /** The status of the response, for Express's error handler and others that follow its convention. */
  get status(): number {
    return errorCodes[this.code].status;
  }

  /** Messages are for developers, and may quote the store: error handlers that ask send the client none. */
  get expose(): boolean {
    return false;
  }
}

/** Nobody could say whether the session still lives, so it is not served here; the stored one may. */
export function unverifiedError(publicId: string): SocketSessionError {
  return new SocketSessionError(
    "STORE_FAILED",
    `The session ${publicId} could not be verified for too long, so nothing was read or written. The store may be down: try again on a new connection.`,
  );
}

/** Thrown by `update` and `reload`, and given to an explicit `save(cb)`, once the session has ended. */
export class SessionEnded extends SocketSessionError {
  override readonly name = "SessionEnded";
  constructor(publicId: string) {
    super(
      "SESSION_ENDED",
      `The session ${publicId} has ended, so nothing was written. Log in again to get a new session.`,
    );
  }
}
