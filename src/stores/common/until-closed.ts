/**
 * Implements `close()` for all stores of a database: operations begun before it finish, later ones reject at once, and the
 * feed's listeners are no longer called.
 *
 * ```ts
 * export const sqliteStore = (options) => untilClosed(new SqliteStore(options), "sqliteStore()");
 * ```
 */

import { SocketSessionError } from "../../base/errors.ts";
import type { FeedListener, SessionStore } from "../../session-store.ts";

/** `maker` is the function that makes a new store, for the error message. */
export function untilClosed(store: SessionStore, maker: string): SessionStore {
  let closing: Promise<void> | undefined;
  const closed = () =>
    new SocketSessionError(
      "STORE_FAILED",
      `Expected an open store, but this ${store.name} store has been closed. Close it last, or make a new one with ${maker}.`,
    );
  const open =
    <Args extends unknown[], Result>(operation: (...args: Args) => Promise<Result>) =>
    (...args: Args): Promise<Result> =>
      closing ? Promise.reject(closed()) : operation.apply(store, args);
  /** Passes calls to the listener until the store is closed. */
  const unlessClosed = (listener: FeedListener): FeedListener => ({
    changed: (change) => void (closing || listener.changed(change)),
    told: (note) => void (closing || listener.told?.(note)),
    alive: (asOf) => void (closing || listener.alive?.(asOf)),
    broken: (error) => void (closing || listener.broken(error)),
    missed: () => void (closing || listener.missed()),
  });
  const { ttlMs, readMany, changes, tell, listByUser, putTicket, takeTicket, all, count, clear } = store;
  return {
    name: store.name,
    atomic: store.atomic,
    ...(ttlMs === undefined ? {} : { ttlMs }),
    get feed() {
      return store.feed;
    },
    read: open(store.read),
    create: open(store.create),
    replace: open(store.replace),
    touch: open(store.touch),
    destroy: open(store.destroy),
    ...(readMany && { readMany: open(readMany) }),
    ...(changes && {
      changes: open(async (listener, options) => {
        const stop = await changes.call(store, unlessClosed(listener), options);
        if (!closing) return stop;
        await stop(); // the store was closed while the feed was being opened
        throw closed();
      }),
    }),
    ...(tell && { tell: open(tell) }),
    ...(listByUser && { listByUser: open(listByUser) }),
    ...(putTicket && { putTicket: open(putTicket) }),
    ...(takeTicket && { takeTicket: open(takeTicket) }),
    ...(all && { all: open(all) }),
    ...(count && { count: open(count) }),
    ...(clear && { clear: open(clear) }),
    close() {
      closing ??= store.close();
      return closing;
    },
  };
}
