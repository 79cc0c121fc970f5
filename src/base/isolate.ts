import { listenerFailed, type SocketSessionError } from "./errors.ts";

/**
 * Runs code of the application, which `what` names. What it throws, or rejects with, goes to `report` as the cause of a
 * `LISTENER_FAILED`, and nowhere else: its message is not quoted, as it may be a store's. As in Node's own emitter,
 * anything with a `then` is a promise: it may be of another realm, or a library's.
 */
export function isolate(
  run: () => unknown,
  report: (error: SocketSessionError) => void,
  what: string | (() => string) = "A listener or callback of the application",
): void {
  const fail = (cause: unknown) => report(listenerFailed(typeof what === "function" ? what() : what, cause));
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
