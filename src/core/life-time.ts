import type { CookieDocument } from "./session-store.ts";

/** How long a session with this cookie lives after its last activity: its own `maxAge` ("remember me"), else `ttlMs`; 0 if it is over. */
export function lifeMs(cookie: CookieDocument, ttlMs: number): number {
  const { originalMaxAge } = cookie;
  return typeof originalMaxAge === "number" ? Math.max(originalMaxAge, 0) : ttlMs;
}

/** Touches closer than this are one; never more than a tenth of the life time, so that short sessions live as long. */
export function touchIntervalFor(life: number, touchIntervalMs: number): number {
  return Math.min(touchIntervalMs, life / 10);
}
