import { type Fields, fieldsOf, type SessionValues } from "./fields.ts";
import type { CookieDocument, Revision, StoredSession } from "./session-store.ts";

/** One version of a session, as it was read or written: immutable, shared by all who look at it. */
export interface Snapshot {
  /** Deeply frozen; without `cookie`. */
  readonly data: Readonly<SessionValues>;
  readonly fields: Fields;
  readonly cookie: CookieDocument;
  readonly expiresAt: number;
  readonly revision: Revision;
}

/** Takes ownership of `document`. */
export function snapshotOf({ document, expiresAt, revision }: StoredSession): Snapshot {
  const { cookie, ...data } = document;
  return { data: deepFreeze(data), fields: fieldsOf(data), cookie: cookie ?? {}, expiresAt, revision };
}

/** Freezes JSON data all the way down. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const child of Object.values(value)) deepFreeze(child);
  }
  return value;
}
