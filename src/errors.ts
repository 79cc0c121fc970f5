/**
 * Every error this package throws, in one table. Codes are stable; messages are not. Each message says what was
 * expected, what came, and the cure.
 */
export const errorCodes = {
  SESSION_ENDED: "the session has ended; nothing was written",
  SESSION_NESTED_UPDATE:
    "update() was called inside an update() of the same session, which would wait for itself",
  SESSION_UPDATE_TIMEOUT: "the function given to update() did not settle in time; nothing was written",
  SESSION_CONTENTION: "other writers won every attempt of this write; nothing was written",
  SESSION_GUEST: "this socket or request has no stored session to write to",
  SESSION_INVALID_DATA: "the data cannot be kept in a session",
  SESSION_READ_ONLY: "this view of the session cannot be written to",
  STORE_FAILED: "the session store answered with an error",
  STORE_TIMEOUT: "the session store did not answer in time",
  STORE_UNSUPPORTED: "this session store has not got what was asked for",
  STORE_OPEN: "the session store could not be opened",
  LISTENER_FAILED: "a listener of the application threw",
  INVALID_OPTION: "an option is missing or wrong",
  UNSUPPORTED_UPSTREAM: "a package this one builds on is too old or has changed",
} as const;

export type ErrorCode = keyof typeof errorCodes;

export class SocketSessionError extends Error {
  override readonly name: string = "SocketSessionError";
  readonly code: ErrorCode;
  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.code = code;
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
