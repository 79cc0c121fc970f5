import type { Clock } from "../clock.ts";
import { SocketSessionError } from "../errors.ts";
import type { SessionKey, SessionStore } from "./session-store.ts";
import { withTimeout } from "./with-timeout.ts";

type Guarded = Pick<SessionStore, "read" | "create" | "replace" | "touch" | "destroy"> &
  Required<Pick<SessionStore, "all" | "count" | "clear">>;

/**
 * The store as the hub uses it: each operation ends within `timeoutMs`, and whatever goes wrong (also a synchronous
 * throw) rejects with an error that names the store, the operation and the session, by its public id.
 */
export function guardedStore(store: SessionStore, clock: Clock, timeoutMs: number): Guarded {
  async function guard<T>(operation: string, key: SessionKey | undefined, run: () => Promise<T>): Promise<T> {
    const what = `${operation}${key ? ` of session ${key.publicId}` : ""} in the ${store.name} store`;
    try {
      return await withTimeout(clock, timeoutMs, run, () => {
        const cure = "Is the database overloaded or unreachable? Raise storeTimeoutMs if it is just slow.";
        return new SocketSessionError(
          "STORE_TIMEOUT",
          `The ${what} did not answer within ${timeoutMs} ms. ${cure}`,
        );
      });
    } catch (cause) {
      if (cause instanceof SocketSessionError) throw cause; // our own stores know what not to say
      const message = key ? withoutId(messageOf(cause), key) : messageOf(cause);
      throw new SocketSessionError("STORE_FAILED", `The ${what} failed: ${message}`, { cause });
    }
  }
  const unsupported = (operation: string) => async () => {
    throw new Error(`this store has no ${operation}()`);
  };
  return {
    read: (key) => guard("read", key, () => store.read(key)),
    create: (key, document, expiresAt) => guard("create", key, () => store.create(key, document, expiresAt)),
    replace: (key, expected, document, expiresAt) =>
      guard("replace", key, () => store.replace(key, expected, document, expiresAt)),
    touch: (key, expiresAt, cookie) => guard("touch", key, () => store.touch(key, expiresAt, cookie)),
    destroy: (key, reason) => guard("destroy", key, () => store.destroy(key, reason)),
    all: () => guard("all", undefined, () => (store.all ? store.all() : unsupported("all")())),
    count: () => guard("count", undefined, () => (store.count ? store.count() : unsupported("count")())),
    clear: () => guard("clear", undefined, () => (store.clear ? store.clear() : unsupported("clear")())),
  };
}

/** A driver may name the key it failed at, which is the secret id. */
function withoutId(message: string, { sid, publicId }: SessionKey): string {
  if (sid === "") return message;
  return message.replaceAll(sid, publicId).replaceAll(escaped(sid), publicId);
}

function escaped(sid: string): string {
  return encodeURIComponent(sid.toWellFormed());
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
