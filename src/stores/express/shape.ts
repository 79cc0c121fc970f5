/**
 * The interface of `express-session` stores, described structurally, and session objects that a store can't distinguish
 * from `express-session`'s own.
 */
import { hash } from "node:crypto";
import { unreadableError } from "../../base/errors.ts";
import type { CookieDocument, Revision, SessionDocument } from "../../session-store.ts";
import {
  documentText,
  ifReadable,
  isDocument,
  isRecord,
  jsonCopy,
  parseDocument,
  wrongLife,
} from "../common/documents.ts";

/** Any `express-session` store: https://github.com/expressjs/session#session-store-implementation */
export interface ExpressStore {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): unknown;
  set(sid: string, session: object, callback: (error?: unknown) => void): unknown;
  destroy(sid: string, callback: (error?: unknown) => void): unknown;
  touch?(sid: string, session: object, callback: (error?: unknown) => void): unknown;
  all?(callback: (error?: unknown, sessions?: unknown) => void): unknown;
  length?(callback: (error?: unknown, length?: number) => void): unknown;
  clear?(callback: (error?: unknown) => void): unknown;
  on?(event: string, listener: () => void): unknown;
  removeListener?(event: string, listener: () => void): unknown;
}

/**
 * The session as a store expects it: stores derive their expiry from `cookie.expires`, a Date, and `cookie.maxAge`, the
 * time left. Its JSON is as `express-session` would write it. Without `expiresAt` both are null, as for a cookie without
 * `maxAge`, and the store's own `ttl` decides. `base` may be a session from the store's `get`, with the store's additions.
 */
export function expressSession(base: object, cookie: CookieDocument, expiresAt: number | undefined): object {
  const expires = expiresAt === undefined ? null : new Date(expiresAt);
  const json = hasOwnLife(cookie) ? { ...cookie, expires } : { ...cookie };
  const shaped = Object.defineProperties(
    { ...cookie, expires },
    {
      _expires: { value: expires },
      maxAge: { get: () => expires && expires.getTime() - Date.now() },
      toJSON: { value: () => ({ ...json }) },
    },
  );
  return { ...base, cookie: shaped };
}

/** Whether the cookie has a life time. A cookie for the browser's session has none. */
export function hasOwnLife(cookie: CookieDocument): boolean {
  return typeof cookie.originalMaxAge === "number" || Boolean(cookie.expires);
}

/** A plain copy of a session from the store's `get`, without the keys that the store keeps for itself. */
export function plainDocument(session: object, stamps: readonly string[] = []): SessionDocument {
  const copy = jsonCopy(session);
  if (!isDocument(copy)) {
    const hasCookie = isRecord(copy) && isRecord(copy.cookie);
    throw unreadableError(
      hasCookie ? wrongLife : "one without it (Cannot read properties of the missing `cookie`)",
    );
  }
  for (const stamp of stamps) delete copy[stamp];
  return copy;
}

/** Plain copies of the sessions from the store's `all`, by id or as a list. */
export function plainDocuments(
  sessions: unknown,
  stamps: readonly string[],
): Record<string, SessionDocument> | SessionDocument[] {
  if (Array.isArray(sessions)) return sessions.flatMap((session) => readable(session, stamps));
  if (!isRecord(sessions)) return {};
  return Object.fromEntries(
    Object.entries(sessions).flatMap(([sid, session]) =>
      readable(session, stamps).map((document) => [sid, document]),
    ),
  );
}

/** Empty if the session can't be read, so that the others are still listed. */
function readable(session: unknown, stamps: readonly string[]): SessionDocument[] {
  const document = isRecord(session) ? ifReadable(() => plainDocument(session, stamps)) : null;
  return document ? [document] : [];
}

/** A deep copy, for stores that keep or change the document that they get. */
export function copyOf(document: SessionDocument): SessionDocument {
  return parseDocument(documentText(document));
}

/**
 * Names the content of a document: equal content has an equal revision. It ignores the cookie's `expires`, which a touch
 * moves, and the order of keys, which some databases sort.
 */
export function contentRevision(document: SessionDocument): Revision {
  const { expires: _expires, ...cookie } = document.cookie;
  const text = JSON.stringify(sorted({ ...document, cookie }));
  return hash("sha256", text, "base64url");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  // Not an object, which would put integer keys first and take `__proto__` for its prototype.
  return { keys, values: keys.map((key) => sorted(value[key])) };
}
