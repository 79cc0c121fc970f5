/**
 * The parts of `express-session`'s store contract beyond the hub: checked arguments, all sessions as a list, and a
 * wrapped store's errors unchanged.
 */
import { isPlain } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import { shown } from "../base/shown.ts";
import { dropStart } from "../data/absolute-life.ts";
import type { SessionDocument, SessionStore } from "../session-store.ts";

/** Throws `INVALID_OPTION`. */
export function requireSid(sid: unknown, method: string): asserts sid is string {
  if (typeof sid === "string") return;
  throw new SocketSessionError(
    "INVALID_OPTION",
    `store().${method}() expects the id of a session, a string; it was ${shown(sid)}. Give it req.sessionID.`,
  );
}

/**
 * Accepts a plain object, or an instance that has its own `cookie`, as those of `express-session` do: a Map or a
 * promise would be stored as an empty session. Throws `SESSION_INVALID_DATA`.
 */
export function requireSession(session: unknown, method: string): asserts session is object {
  if (!isPlain(session) && !hasCookie(session)) {
    throw new SocketSessionError(
      "SESSION_INVALID_DATA",
      `store().${method}() expects a session, an object as get() gives it; it was ${shown(session)}. Give it req.session.`,
    );
  }
  const life: unknown = Reflect.get(Object(Reflect.get(session, "cookie")), "originalMaxAge");
  if (life === undefined || life === null || typeof life === "number") return;
  throw new SocketSessionError(
    "SESSION_INVALID_DATA",
    `A session's cookie.originalMaxAge is to be a number of milliseconds, or null; it was ${shown(life)}. Nothing was ` +
      "written. Set cookie.maxAge to a number, or cookie.expires to a Date.",
  );
}

function hasCookie(session: unknown): session is object {
  return typeof session === "object" && session !== null && Object.hasOwn(session, "cookie");
}

/**
 * Throws if the method `store` was passed without calling it: `express-session` then puts its `generate` on the method.
 */
export function refuseUncalled(store: () => unknown): void {
  Object.defineProperty(store, "generate", {
    set: () => {
      throw new SocketSessionError(
        "INVALID_OPTION",
        "`store` of express-session expects a store; it was sessions.store, the method that makes one. Write session({ store: sessions.store() }).",
      );
    },
  });
}

/** Elements have an `id`; a wrapped store that returns a list has to add it. */
export function listed(sessions: Record<string, SessionDocument> | SessionDocument[]): SessionDocument[] {
  if (Array.isArray(sessions)) return sessions.map(dropStart);
  return Object.entries(sessions).map(([id, session]) => ({ ...dropStart(session), id }));
}

/** A wrapped store's own error, which application code knows from `express-session` alone. */
export function asGiven(error: unknown, { isWrapped }: SessionStore): unknown {
  const isOfStore = error instanceof SocketSessionError && error.code === "STORE_FAILED";
  return isWrapped && isOfStore && error.cause !== undefined ? error.cause : error;
}
