import { type Fields, fieldsOf, type SessionValues } from "./fields.ts";
import { readOnlyData } from "./read-only-data.ts";
import type { CookieDocument, Revision, StoredSession } from "../session-store.ts";

/** One version of a session, as it was read or written. Immutable, so all observers share it. */
export interface Snapshot {
  /** Deeply frozen, without `cookie`. */
  readonly data: Readonly<SessionValues>;
  readonly fields: Fields;
  readonly cookie: CookieDocument;
  readonly expiresAt: number;
  readonly revision: Revision;
}

/** Takes ownership of `document`. */
export function snapshotOf({ document, expiresAt, revision }: StoredSession): Snapshot {
  const { cookie, ...data } = document;
  const fields = fieldsOf(data);
  return { data: readOnlyData(deepFreeze(data)), fields, cookie: cookie ?? {}, expiresAt, revision };
}

/** Freezes JSON data at every level, without recursion. */
export function deepFreeze<T>(value: T): T {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== "object" || one === null || Object.isFrozen(one)) continue;
    for (const child of Object.values(Object.freeze(one))) open.push(child);
  }
  return value;
}
