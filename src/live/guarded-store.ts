import { mapInTurns } from "../base/batches.ts";
import type { Clock } from "../base/clock.ts";
import { errorText, isOwn, isUnreadable, SocketSessionError } from "../base/errors.ts";
import { cureOf } from "../base/store-failures.ts";
import { withTimeout } from "../base/with-timeout.ts";
import { isReadable, readable } from "../data/bounds.ts";
import type { SessionKey, SessionStore, UserSession } from "../session-store.ts";

export type GuardedStore = {
  readonly atomic: boolean;
  /** Whether `readMany` takes one round trip. */
  readonly readsTogether: boolean;
  /** Whether `putTicket` and `takeTicket` are supported. */
  readonly keepsTickets: boolean;
  /** Absent if the store has no feed that carries notes. */
  readonly tell: SessionStore["tell"];
} & Pick<SessionStore, "read" | "create" | "replace" | "touch" | "destroy"> &
  Required<
    Pick<SessionStore, "readMany" | "listByUser" | "putTicket" | "takeTicket" | "all" | "count" | "clear">
  >;

/**
 * The store as the hub uses it. Each operation ends within `timeoutMs`. Any failure, a synchronous throw included,
 * rejects with an error that names the store, the operation and the session by its public id, and nothing of a ticket.
 * The message repeats only the name and the code of a driver's error: its own message may quote ids, keys, data or
 * credentials, and stays in `cause`.
 */
export function guardedStore(store: SessionStore, clock: Clock, timeoutMs: number): GuardedStore {
  function guard<T>(operation: string, keys: readonly SessionKey[], run: () => Promise<T>): Promise<T> {
    const what = () => `${operation}${namesOf(keys)} in the ${store.name} store`;
    const late = () => {
      const cure = "Is the database overloaded or unreachable? Raise storeTimeoutMs if it is just slow.";
      const message = `The ${what()} did not answer within ${timeoutMs} ms. ${cure}`;
      return new SocketSessionError("STORE_TIMEOUT", message);
    };
    return withTimeout(clock, timeoutMs, run, late, (cause) => named(cause, what));
  }
  const unsupported = async (operation: string) => {
    throw new SocketSessionError("STORE_UNSUPPORTED", `The ${store.name} store has no ${operation}().`);
  };
  const readMany = (keys: readonly SessionKey[]) =>
    store.readMany ? store.readMany(keys) : Promise.all(keys.map((key) => store.read(key)));
  const { tell } = store;
  return {
    atomic: store.atomic,
    tell: tell && store.changes && ((note) => guard("tell", [], () => tell.call(store, note))),
    readsTogether: store.readMany !== undefined,
    keepsTickets: keepsTickets(store),
    read: (key) => guard("read", [key], async () => readable(await store.read(key))),
    readMany: (keys) => guard("read", keys, async () => (await readMany(keys)).map(readable)),
    create: (key, ...rest) => guard("create", [key], () => store.create(key, ...rest)),
    replace: (key, ...rest) => guard("replace", [key], () => store.replace(key, ...rest)),
    touch: (key, ...rest) => guard("touch", [key], () => store.touch(key, ...rest)),
    destroy: (key, ...rest) => guard("destroy", [key], () => store.destroy(key, ...rest)),
    listByUser: (user) =>
      guard("listByUser", [], async () => {
        const found: UserSession[] = await (store.listByUser?.(user) ?? unsupported("listByUser"));
        return mapInTurns(found, (one) => (isReadable(one.stored) ? one : { ...one, stored: null }));
      }),
    putTicket: (...ticket) =>
      guard("putTicket", [], () => store.putTicket?.(...ticket) ?? unsupported("putTicket")),
    takeTicket: (id) => guard("takeTicket", [], () => store.takeTicket?.(id) ?? unsupported("takeTicket")),
    all: () => guard("all", [], () => store.all?.() ?? unsupported("all")),
    count: () => guard("count", [], () => store.count?.() ?? unsupported("count")),
    clear: () => guard("clear", [], () => store.clear?.() ?? unsupported("clear")),
  };
}

/** Whether the store has the ability to keep tickets. */
export function keepsTickets({ putTicket, takeTicket }: SessionStore): boolean {
  return putTicket !== undefined && takeTicket !== undefined;
}

/** The `error` event for a broken change feed; `name` is the store's. */
export function feedError(name: string, revalidateIntervalMs: number, cause: unknown): SocketSessionError {
  const why = isOwn(cause) ? `. ${cause.message}` : ` (${errorText(cause)}).${cureOf(cause)}`;
  return new SocketSessionError(
    "STORE_FEED_BROKEN",
    `The change feed of the ${name} store is cut${why} ` +
      `Until it is back, changes of other nodes are seen within revalidateIntervalMs (${revalidateIntervalMs} ms). ` +
      "It is opened again by itself; if that does not help, look at the connection to the database.",
    { cause },
  );
}

function named(cause: unknown, what: () => string): unknown {
  if (!isOwn(cause)) {
    const message = `The ${what()} failed: ${errorText(cause)}.${cureOf(cause)} See its cause.`;
    return new SocketSessionError("STORE_FAILED", message, { cause });
  }
  if (!isUnreadable(cause)) return cause; // our own stores quote nothing secret
  return new SocketSessionError(cause.code, `The ${what()} failed: ${cause.message}`, { cause });
}

function namesOf(keys: readonly SessionKey[]): string {
  const [first] = keys;
  if (!first) return "";
  return keys.length === 1 ? ` of session ${first.publicId}` : ` of ${keys.length} sessions`;
}
