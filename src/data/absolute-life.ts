/**
 * How long a session may live since it was stored under its id, whatever its activity (OWASP ASVS 7.3.2). The time of its
 * start is a top-level key of its document: other packages give that back when they write the session, where they drop
 * an unknown attribute of the cookie. Applications don't see it.
 */
import type { SessionDocument, StoredSession } from "../session-store.ts";

/** Other packages' applications see it among their data, so its name says what it is. Milliseconds since the epoch. */
export const startKey = "socketSessionStartedAt";

/** Undefined if the session has no start yet, or no valid one. */
export function startOf({ [startKey]: startedAt }: SessionDocument): number | undefined {
  return typeof startedAt === "number" && Number.isFinite(startedAt) ? startedAt : undefined;
}

/** Adds the start to `document`, if there is one. */
export function addStart(document: SessionDocument, startedAt: number | undefined): SessionDocument {
  if (startedAt !== undefined) document[startKey] = startedAt;
  return document;
}

/** Removes the start from `document`, which is then as applications see it. */
export function dropStart(document: SessionDocument): SessionDocument {
  delete document[startKey];
  return document;
}

/** The latest time at which the session ends. Infinity if it has no start, or `absoluteMs` is Infinity. */
export function lastDeadline(startedAt: number | undefined, absoluteMs: number): number {
  return startedAt === undefined ? Number.POSITIVE_INFINITY : startedAt + absoluteMs;
}

/** Whether the session still needs a start. */
export function lacksStart(startedAt: number | undefined, absoluteMs: number): boolean {
  return startedAt === undefined && absoluteMs < Number.POSITIVE_INFINITY;
}

/** `stored` with its deadline under the limit; null if it is over at `now`. */
export function withinLimit(stored: StoredSession, absoluteMs: number, now: number): StoredSession | null {
  const last = lastDeadline(startOf(stored.document), absoluteMs);
  return last > now ? { ...stored, expiresAt: Math.min(stored.expiresAt, last) } : null;
}
