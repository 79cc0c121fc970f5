/**
 * What `express-session` stores and their callers hand each other: the store's interface, described structurally, and
 * session objects that a store can't tell from `express-session`'s own.
 */
import { createHash } from "node:crypto";
import type { CookieDocument, Revision, SessionDocument } from "../core/session-store.ts";
import { documentText, isDocument, isRecord, parseDocument } from "./document-text.ts";

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
 * The document as a store expects a session: `cookie.expires` is a Date and `cookie.maxAge` what is left of it, which
 * is what stores derive their own expiry from; as JSON it is what `express-session` would have written. `base` may be
 * what the store's `get` gave, with whatever the store added for itself.
 */
export function expressSession(base: object, cookie: CookieDocument, expiresAt: number): object {
  const expires = new Date(expiresAt);
  // A cookie for the browser's session says `expires: null` in what is stored; its session still has a deadline.
  const lasts = typeof cookie.originalMaxAge === "number" || Boolean(cookie.expires);
  const json = lasts ? { ...cookie, expires: expires.toISOString() } : { ...cookie };
  const shaped = Object.defineProperties(
    { ...cookie, expires },
    {
      _expires: { value: expires },
      maxAge: { get: () => expires.getTime() - Date.now() },
      toJSON: { value: () => ({ ...json }) },
    },
  );
  return { ...base, cookie: shaped };
}

/** What a store's `get` gave as a plain document of our own; a missing cookie is one without any attribute. */
export function documentOf(session: object): SessionDocument {
  const copy: unknown = JSON.parse(JSON.stringify(session));
  if (isDocument(copy)) return copy;
  if (isRecord(copy)) return { ...copy, cookie: {} };
  throw new TypeError(
    `Expected the store to answer with a session object, but it answered with ${typeof copy}.`,
  );
}

/** A deep copy that shares nothing with the caller's document, for stores that keep or change what they are given. */
export function copyOf(document: SessionDocument): SessionDocument {
  return parseDocument(documentText(document));
}

/**
 * Names the content of a document: equal content has an equal revision. What a touch moves is left out: the cookie's
 * `expires`, connect-mongo's `lastModified`, session-file-store's `__lastAccess`. The order of keys is, too, since some
 * databases sort them.
 */
export function contentRevision(document: SessionDocument): Revision {
  const { expires: _expires, ...cookie } = document.cookie;
  const { lastModified: _lastModified, __lastAccess: _lastAccess, ...data } = document;
  const text = JSON.stringify(sorted({ ...data, cookie }));
  return createHash("sha256").update(text).digest("base64url");
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isRecord(value)) return value;
  const keys = Object.keys(value).sort();
  // As pairs: an object would put integer keys first, and take `__proto__` for its prototype.
  return { keys, values: keys.map((key) => sorted(value[key])) };
}
