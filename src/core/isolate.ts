import { types } from "node:util";
import { SocketSessionError } from "../errors.ts";

/**
 * Runs code of the application. What it throws, or rejects with, goes to `report` as the cause of a `LISTENER_FAILED`, and
 * nowhere else. As in Node's own emitter, anything with a `then` is a promise: it may be of another realm, or a library's.
 * `what` names the code, and its error is quoted. Without a name it is not: a callback may throw what the store gave it.
 */
export function isolate(
  run: () => unknown,
  report: (error: SocketSessionError) => void,
  what?: string | (() => string),
): void {
  const fail = (cause: unknown) => {
    const named = typeof what === "function" ? what() : what;
    const message =
      named === undefined
        ? "A listener or callback of the application failed. Its cause says why."
        : `${named} failed: ${textOf(cause)}`;
    report(new SocketSessionError("LISTENER_FAILED", message, { cause }));
  };
  try {
    const result = run();
    if (isThenable(result)) Promise.resolve(result).then(undefined, fail);
  } catch (cause) {
    fail(cause);
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof Reflect.get(value, "then") === "function";
}

/** What `cause` says. Anything can be thrown, also what can't be made a string. */
export function textOf(cause: unknown): string {
  try {
    return String(types.isNativeError(cause) ? cause.message : cause);
  } catch {
    return "it threw what cannot be shown as text";
  }
}
