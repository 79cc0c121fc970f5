/**
 * How long an `express-session` store keeps a session whose cookie has no life time. The interface does not expose it, so
 * this reads the option of the packages that keep it in a property:
 *
 * ```ts
 * ownTtlMs(new RedisStore({ client, ttl: 300 })); // 300_000
 * ```
 */
import { maxLifeMs } from "../../data/life-time.ts";
import { isRecord } from "../common/documents.ts";

/** Undefined if the store does not expose its option, or if the option is a function. */
export function ownTtlMs(store: object): number | undefined {
  // connect-redis, connect-pg-simple: seconds
  if ("ttl" in store) return milliseconds(store.ttl, 1_000);
  if (!("options" in store) || !isRecord(store.options)) return undefined;
  const { options } = store;
  // connect-mongo and session-file-store count in seconds, memorystore in milliseconds
  if ("touchAfter" in options || "reapInterval" in options) return milliseconds(options.ttl, 1_000);
  return "checkPeriod" in options ? milliseconds(options.ttl, 1) : undefined;
}

function milliseconds(ttl: unknown, unit: number): number | undefined {
  const isTime = typeof ttl === "number" && ttl > 0 && Number.isFinite(ttl);
  return isTime ? Math.min(ttl * unit, maxLifeMs) : undefined;
}
