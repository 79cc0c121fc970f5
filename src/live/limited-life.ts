import type { Clock } from "../base/clock.ts";
import { lastDeadline, startOf, withinLimit } from "../data/absolute-life.ts";
import type { SessionDocument, SessionKey, StoredSession } from "../session-store.ts";
import type { GuardedStore } from "./guarded-store.ts";

/**
 * The store, of which no read returns a session past its absolute life time, or a later deadline. The store itself may keep such a
 * session: another package's process has extended it, or the limit was longer. The read then ends it, as `expired`, for all processes.
 */
export function limitedLife(store: GuardedStore, clock: Clock, absoluteMs: number): GuardedStore {
  if (absoluteMs === Number.POSITIVE_INFINITY) return store;
  const limited = async (key: SessionKey | undefined, stored: StoredSession | null) => {
    const within = stored && withinLimit(stored, absoluteMs, clock.now());
    if (key && stored && !within) await store.destroy(key, "expired");
    return within;
  };
  const isWithin = (document: SessionDocument) => lastDeadline(startOf(document), absoluteMs) > clock.now();
  return {
    ...store,
    read: async (key) => limited(key, await store.read(key)),
    readMany: async (keys) => {
      const found = await store.readMany(keys);
      return Promise.all(found.map((stored, index) => limited(keys[index], stored)));
    },
    /** Without the data of one that is over: it is not listed then, and ended with the others. */
    listByUser: async (user) => {
      const now = clock.now();
      const found = await store.listByUser(user);
      return found.map((one) => ({
        ...one,
        stored: one.stored && withinLimit(one.stored, absoluteMs, now),
      }));
    },
    all: async () => {
      const found = await store.all();
      if (Array.isArray(found)) return found.filter(isWithin);
      return Object.fromEntries(Object.entries(found).filter(([, document]) => isWithin(document)));
    },
  };
}
