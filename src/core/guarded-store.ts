import type { Clock } from "../clock.ts";
import { SocketSessionError } from "../errors.ts";
import type { SessionKey, SessionStore } from "./session-store.ts";
import { withTimeout } from "./with-timeout.ts";

export type GuardedStore = Pick<SessionStore, "read" | "create" | "replace" | "touch" | "destroy"> &
  Required<Pick<SessionStore, "readMany" | "listByUser" | "all" | "count" | "clear">>;

/**
 * The store as the hub uses it: each operation ends within `timeoutMs`, and whatever goes wrong (also a synchronous
 * throw) rejects with an error that names the store, the operation and the session, by its public id.
 */
export function guardedStore(store: SessionStore, clock: Clock, timeoutMs: number): GuardedStore {
  async function guard<T>(operation: string, keys: readonly SessionKey[], run: () => Promise<T>): Promise<T> {
    const what = `${operation}${namesOf(keys)} in the ${store.name} store`;
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
      const message = keys.reduce(withoutId, messageOf(cause));
      throw new SocketSessionError("STORE_FAILED", `The ${what} failed: ${message}`, { cause });
    }
  }
  const unsupported = (operation: string) => async () => {
    throw new Error(`this store has no ${operation}()`);
  };
  return {
    read: (key) => guard("read", [key], () => store.read(key)),
    readMany: (keys) =>
      guard("read", keys, () =>
        store.readMany ? store.readMany(keys) : Promise.all(keys.map((key) => store.read(key))),
      ),
    create: (key, ...rest) => guard("create", [key], () => store.create(key, ...rest)),
    replace: (key, ...rest) => guard("replace", [key], () => store.replace(key, ...rest)),
    touch: (key, ...rest) => guard("touch", [key], () => store.touch(key, ...rest)),
    destroy: (key, ...rest) => guard("destroy", [key], () => store.destroy(key, ...rest)),
    listByUser: (user) =>
      guard("listByUser", [], () =>
        store.listByUser ? store.listByUser(user) : unsupported("listByUser")(),
      ),
    all: () => guard("all", [], () => (store.all ? store.all() : unsupported("all")())),
    count: () => guard("count", [], () => (store.count ? store.count() : unsupported("count")())),
    clear: () => guard("clear", [], () => (store.clear ? store.clear() : unsupported("clear")())),
  };
}

function namesOf(keys: readonly SessionKey[]): string {
  const [first] = keys;
  if (!first) return "";
  return keys.length === 1 ? ` of session ${first.publicId}` : ` of ${keys.length} sessions`;
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
