import type { CookieDocument } from "../session-store.ts";

/** The longest life that options may give, some 3,000 years: the time when the session ends has to be one that a Date can hold. */
export const maxLifeMs = 1e14;

/** How long a session with this cookie lives after its last activity: its own `maxAge` ("remember me"), else `ttlMs`; 0 if it is over. */
export function lifeMs(cookie: CookieDocument, ttlMs: number): number {
  const { originalMaxAge } = cookie;
  return typeof originalMaxAge === "number" ? Math.max(originalMaxAge, 0) : ttlMs;
}

/** Lives that differ by no more are the same: `express-session` loses a millisecond of a `maxAge` now and then. */
export function lifeToleranceMs(life: number): number {
  return Math.min(1000, Math.abs(life) / 10);
}

/** The latest time that a Date can be. */
const latestDate = 8.64e15;

/** When a session with this cookie ends that is used now. */
export function deadlineFrom(now: number, cookie: CookieDocument, ttlMs: number): number {
  return Math.min(now + lifeMs(cookie, ttlMs), latestDate);
}

/** A deadline as a cookie tells it; one that is later than any date there is, as "never" may be, as the latest. */
export function dateText(deadline: number): string {
  return new Date(Math.min(deadline, latestDate)).toISOString();
}

/** Touches closer than this are one; never more than a tenth of the life time, so that short sessions live as long. */
export function touchIntervalFor(life: number, touchIntervalMs: number): number {
  return Math.min(touchIntervalMs, life / 10);
}

/** Whether a session with this cookie is over at `now`. */
export function isOver(cookie: CookieDocument, now: number): boolean {
  return lifeMs(withLife(cookie, now), 1) === 0 || expiresAt(cookie) <= now;
}

/**
 * A cookie that `express-session` has not made, as in an import, as it would be stored: with an `originalMaxAge` where
 * it has a `maxAge`, or else a time at which it `expires`.
 */
export function withLife({ maxAge, ...cookie }: CookieDocument, now: number): CookieDocument {
  if (typeof cookie.originalMaxAge === "number") return cookie;
  const life = typeof maxAge === "number" ? maxAge : expiresAt(cookie) - now;
  const expires = new Date(now + life);
  if (Number.isNaN(expires.getTime())) return cookie; // it says no time, or none that there is
  return { ...cookie, originalMaxAge: life, expires: expires.toISOString() };
}

/** Infinity where the cookie does not say. */
function expiresAt({ expires }: CookieDocument): number {
  const time = expires ? new Date(expires).getTime() : Number.NaN;
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}
