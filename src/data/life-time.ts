import type { CookieDocument } from "../session-store.ts";
import { lastDeadline } from "./absolute-life.ts";

/** How long sessions live, in milliseconds. */
export interface LifeOptions {
  /** A session without a `cookie.maxAge`, after its last activity. */
  readonly ttlMs: number;
  /** Any session, since it was stored under its id. Infinity: no limit. */
  readonly absoluteMs: number;
}

/** The longest life time that options may set, about 3,000 years: a Date must be able to hold the deadline. */
export const maxLifeMs = 1e14;

/** A session's life time after its last activity: its own `maxAge` ("remember me"), else `ttlMs`. 0 if it is over. */
export function lifeMs(cookie: CookieDocument, ttlMs: number): number {
  return cookieLifeMs(cookie) ?? ttlMs;
}

/** How long a browser keeps the cookie after it was set. Undefined if until it is closed. */
export function cookieLifeMs({ originalMaxAge }: CookieDocument): number | undefined {
  return typeof originalMaxAge === "number" ? Math.max(originalMaxAge, 0) : undefined;
}

/** Smaller differences of a life time don't count: `express-session` sometimes loses a millisecond of a `maxAge`. */
export function lifeToleranceMs(life: number): number {
  return Math.min(1000, Math.abs(life) / 10);
}

/**
 * Whether a deadline has moved from what is known of it. Some stores give the time that is left, so that each read finds
 * a slightly different one.
 */
export function hasMoved(known: number, expiresAt: number, now: number): boolean {
  return Math.abs(expiresAt - known) >= lifeToleranceMs(expiresAt - now);
}

/** The time until a deadline, 0 if it is past. One beyond the range of Date ("never") counts as the latest date. */
export function leftMs(expiresAt: number, now: number): number {
  return Math.max(Math.min(expiresAt, latestDate) - now, 0);
}

/** The latest time that a Date can hold. */
const latestDate = 8.64e15;

/** When a session ends if it is used now. One that has no start yet starts now. */
export function deadlineFrom(
  now: number,
  { cookie, startedAt = now }: { readonly cookie: CookieDocument; readonly startedAt?: number | undefined },
  { ttlMs, absoluteMs }: LifeOptions,
): number {
  return Math.min(now + lifeMs(cookie, ttlMs), lastDeadline(startedAt, absoluteMs), latestDate);
}

/** A deadline as a cookie's `expires`. A deadline beyond the range of Date ("never") becomes the latest date. */
export function dateText(deadline: number): string {
  return new Date(Math.min(deadline, latestDate)).toISOString();
}

/** Touches closer together count as one. At most a tenth of the life time, so that short sessions live as long. */
export function touchIntervalFor(life: number, touchIntervalMs: number): number {
  return Math.min(touchIntervalMs, life / 10);
}

/** The cookie of a session that is stored only now, some time after it was made. */
export function renewed(cookie: CookieDocument, now: number): CookieDocument {
  const { originalMaxAge } = cookie;
  return typeof originalMaxAge === "number" ? { ...cookie, expires: dateText(now + originalMaxAge) } : cookie;
}

/** Whether a session with this cookie is over at `now`. */
export function isOver(cookie: CookieDocument, now: number): boolean {
  return lifeMs(withLife(cookie, now), 1) === 0 || expiresAt(cookie) <= now;
}

/**
 * Completes a cookie that `express-session` did not make, such as an imported one: derives `originalMaxAge` from its
 * `maxAge`, or else from `expires`.
 */
export function withLife({ maxAge, ...cookie }: CookieDocument, now: number): CookieDocument {
  if (typeof cookie.originalMaxAge === "number") return cookie;
  const life = typeof maxAge === "number" ? maxAge : expiresAt(cookie) - now;
  const expires = new Date(now + life);
  if (Number.isNaN(expires.getTime())) return cookie; // it has no time, or an invalid one
  return { ...cookie, originalMaxAge: life, expires: expires.toISOString() };
}

/** Infinity if the cookie has no valid `expires`. */
function expiresAt({ expires }: CookieDocument): number {
  const time = expires ? new Date(expires).getTime() : Number.NaN;
  return Number.isNaN(time) ? Number.POSITIVE_INFINITY : time;
}
