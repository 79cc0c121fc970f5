import { types } from "node:util";

/**
 * Every error of this package, in one table. Codes are stable; messages are not. Each message gives the expected value,
 * the actual value, and the cure. Express sends `status` if a route fails with the error: 401 where logging in helps,
 * 409 where other writers or sessions are in the way, 503 where the store is at fault, 500 where the program is.
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
  USER_SESSIONS_FULL: {
    status: 409,
    meaning: "the user has as many sessions as they may have, so the login was undone",
  },
  SESSION_REQUIRED: { status: 401, meaning: "a rule needs a stored session, and there is none" },
  SESSION_FORBIDDEN: { status: 403, meaning: "the session does not satisfy a rule" },
  SESSION_GUEST: { status: 401, meaning: "this socket or request has no stored session to write to" },
  SESSION_INVALID_DATA: { status: 500, meaning: "the data cannot be kept in a session" },
  SESSION_UNREADABLE: { status: 500, meaning: "what is stored for the session cannot be read" },
  SESSION_READ_ONLY: { status: 500, meaning: "this view of the session cannot be written to" },
  STORE_FAILED: { status: 503, meaning: "the session store answered with an error" },
  STORE_TIMEOUT: { status: 503, meaning: "the session store did not answer in time" },
  STORE_UNSUPPORTED: { status: 500, meaning: "this session store has not got what was asked for" },
  STORE_FEED_BROKEN: {
    status: 503,
    meaning: "the store's change feed is cut; until it is back, changes of other nodes are seen late",
  },
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

  /** The status of the response, for Express's error handler and others with its convention. */
  get status(): number {
    return Object.hasOwn(errorCodes, this.code) ? errorCodes[this.code].status : 500;
  }

  /** Messages are for developers and may quote the store, so error handlers that check this send none to the client. */
  get expose(): boolean {
    return false;
  }
}

/** Inspecting a proxy may throw. */
export function isOwn(error: unknown): error is SocketSessionError {
  try {
    return error instanceof SocketSessionError;
  } catch {
    return false;
  }
}

const printableName = /^[A-Za-z][\w$]{0,63}$/;
const printableCode = /^[\w.-]{1,64}$/;

/**
 * The printable part of an error: all of an error of this package; of any other only its name and code, as its message
 * may quote session ids, session data or credentials. Anything can be thrown, even a value that throws when it is read.
 */
export function errorText(error: unknown): string {
  try {
    return textOf(error);
  } catch {
    return `a thrown ${typeof error} that can't be read`;
  }
}

function textOf(error: unknown): string {
  if (isOwn(error)) return `${error.name} ${error.code}: ${error.message}`;
  if (!types.isNativeError(error) && !(error instanceof Error))
    return `a thrown ${error === null ? "null" : typeof error}`;
  const given: unknown = error.name === "Error" ? classOf(error) : error.name;
  const name = typeof given === "string" && printableName.test(given) ? given : "Error";
  const code = codeOf(error) ?? replyCode(error) ?? "";
  return printableCode.test(code) ? `${name} ${code}` : name;
}

/** An error may have no class, or claim one. */
function classOf(error: Error): unknown {
  const made: unknown = Reflect.get(error, "constructor");
  return typeof made === "function" ? made.name : undefined;
}

function codeOf(error: object): string | undefined {
  const code: unknown = Reflect.get(error, "code");
  return typeof code === "string" || typeof code === "number" ? String(code) : undefined;
}

/** The Redis drivers' classes of error replies. The first word of such a reply is its code. */
const redisReplies = new Set(["ReplyError", "ErrorReply", "SimpleError", "BlobError"]);

function replyCode(error: Error): string | undefined {
  const isReply = [error.name, classOf(error)].some((name) => redisReplies.has(String(name)));
  return isReply ? /^[A-Z]+(?= |$)/.exec(error.message)?.[0] : undefined;
}

/** The stored session is damaged, or of another kind. `found` quotes nothing of it. */
export function unreadableError(found: string, cause?: unknown): SocketSessionError {
  return new SocketSessionError(
    "SESSION_UNREADABLE",
    `Expected a stored session, an object with \`cookie\`, but found ${found}. End it with sessions.end(id) or sessions.user(id).end().`,
    cause === undefined ? {} : { cause },
  );
}

export function isUnreadable(error: unknown): boolean {
  return isOwn(error) && error.code === "SESSION_UNREADABLE";
}

/**
 * For the `error` event: application code, which `what` names, failed where no caller waits for it. The error takes the
 * stack of the cause, as this package's own frames help no reader.
 */
export function listenerFailed(what: string, cause: unknown): SocketSessionError {
  const text = isOwn(cause) ? errorText(cause) : `${errorText(cause)}. See its cause.`;
  const error = new SocketSessionError("LISTENER_FAILED", `${what} failed: ${text}`, { cause });
  error.stack = [String(error), ...placesOf(cause)].join("\n");
  return error;
}

const place = /^\s+at .*(:\d+:\d+\)?|<anonymous>\)?|native\)|\(index \d+\))$/;

/** The lines of the stack that show where it was thrown. Reading may throw: a getter, or a message that is not text. */
export function placesOf(error: unknown): string[] {
  try {
    const { stack, message } = types.isNativeError(error) ? error : {};
    if (typeof stack !== "string") return [];
    const quoted = typeof message === "string" && stack.includes(message) ? message : "";
    const afterMessage = stack.slice(stack.indexOf(quoted) + quoted.length);
    return afterMessage.split("\n").filter((line) => place.test(line));
  } catch {
    return [];
  }
}

/** As `listenerFailed`; an error with a code of this package is returned unchanged. */
export function listenerError(what: string, cause: unknown): SocketSessionError {
  return isOwn(cause) ? cause : listenerFailed(what, cause);
}

/** The store could not confirm the session, so this node no longer serves it; the stored session may still exist. */
export function unverifiedError(publicId: string): SocketSessionError {
  return new SocketSessionError(
    "STORE_FAILED",
    `The session ${publicId} could not be verified for too long, so nothing was read or written. The store may be down: try again on a new connection.`,
  );
}

/** `update`, `reload` and an explicit `save(callback)` fail with it once the session has ended. */
export class SessionEnded extends SocketSessionError {
  override readonly name = "SessionEnded";
  constructor(publicId: string) {
    super(
      "SESSION_ENDED",
      `The session ${publicId} has ended, so nothing was written. Log in again to get a new session.`,
    );
  }
}

/** A login that is undone: its session has ended, and no response may set its cookie. */
export class LoginUndone extends SocketSessionError {}

/**
 * A rule of `sessions.require` refuses a request or a socket. As the error of a namespace's middleware, Socket.IO sends its
 * message and `data` to the client.
 */
export class SessionRefused extends SocketSessionError {
  override readonly name = "SessionRefused";
  readonly data: { readonly code: string };
  /** `shown`: the code for the client, which may be the application's own. */
  constructor(code: "SESSION_REQUIRED" | "SESSION_FORBIDDEN", shown: string = code) {
    super(code, errorCodes[code].meaning);
    this.data = { code: shown };
  }
}
