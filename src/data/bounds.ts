/**
 * Limits a session's depth and size. Checked before each write, so that no reader, here or in the database, fails on
 * it.
 */
import { SocketSessionError, unreadableError } from "../base/errors.ts";
import { shownKey } from "../base/shown.ts";
import { type Fields, fieldsOf, jsonOf, withCookie } from "./fields.ts";
import type { SessionContent } from "./snapshot.ts";
import type { SessionDocument, StoredSession } from "../session-store.ts";

/** Levels of nested objects and arrays, the session included. Every store keeps this many, in each of its formats. */
const maxWrittenLevels = 64;
/** Other packages may have written deeper sessions. A third of what the tightest recursion, in V8 or here, can take. */
export const maxReadLevels = 512;

/** Objects on one level; above this, duplicates are removed, which takes longer. */
const maxCounted = 100;

/**
 * Whether objects and arrays in `value` are nested deeper than `levels` (`value` is the first level), or contain a
 * value that `isOdd` finds. Never recurses.
 */
export function isDeeperThan(value: unknown, levels: number, isOdd?: (held: unknown) => boolean): boolean {
  let level: object[] = isObject(value) ? [value] : [];
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > levels) return true;
    const next: object[] = [];
    for (const one of level) {
      for (const child of Array.isArray(one) ? one : Object.values(one)) {
        if (isOdd?.(child)) return true;
        if (isObject(child)) next.push(child);
      }
    }
    // A cycle exceeds any number of levels, but with duplicates removed it never gets wider.
    level = next.length > maxCounted ? [...new Set(next)] : next;
  }
  return false;
}

/** True also if nothing is stored. */
export function isReadable(stored: StoredSession | null): boolean {
  return !stored || !isDeeperThan(stored.document, maxReadLevels);
}

/** Returns `stored`; throws `SESSION_UNREADABLE` if it is nested too deeply. */
export function readable(stored: StoredSession | null): StoredSession | null {
  if (isReadable(stored)) return stored;
  throw tooDeepToRead();
}

export function tooDeepToRead(): SocketSessionError {
  return unreadableError(`one that is nested deeper than ${maxReadLevels} levels`);
}

/** The whole document to store. Throws `SESSION_INVALID_DATA` if it is too large or too deep. */
export function writableDocument(content: SessionContent, maxBytes: number): SessionDocument {
  const document: SessionDocument = JSON.parse(jsonOf(refuseLarger(content, maxBytes)));
  refuseDeeper(document, maxWrittenLevels);
  return document;
}

/** The whole document, of data that are stored already: another package may have stored more than `writableDocument` lets pass. */
export function storedDocument({ fields, cookie }: SessionContent): SessionDocument {
  return JSON.parse(jsonOf(withCookie(fields, cookie)));
}

/** Returns the text of each key, the cookie included. Throws `SESSION_INVALID_DATA` if they have more than `maxBytes`. */
export function refuseLarger({ fields, cookie }: SessionContent, maxBytes: number): Fields {
  const texts = withCookie(fields, cookie);
  let bytes = 0;
  for (const [key, text] of texts) bytes += bytesOf(key, text);
  if (bytes > maxBytes) throw tooLarge(texts, bytes, maxBytes);
  return texts;
}

function bytesOf(key: string, text: string): number {
  return Buffer.byteLength(key) + Buffer.byteLength(text);
}

function tooLarge(texts: Fields, bytes: number, maxBytes: number): SocketSessionError {
  const sizes = [...texts].map(([key, text]) => ({ key, bytes: bytesOf(key, text) }));
  const largest = sizes.reduce((a, b) => (b.bytes > a.bytes ? b : a));
  return invalidData(
    `A session may have ${maxBytes} bytes of JSON, but this one has ${bytes}, ${largest.bytes} of them in ${shownKey(largest.key)}. ` +
      "Keep large data elsewhere, and their id in the session; or raise maxSessionBytes.",
  );
}

/**
 * Throws `SESSION_INVALID_DATA` for data that neither a store nor `express-session` can take, however they got there.
 */
export function refuseUnusable(session: object): void {
  const { cookie: _cookie, ...data }: { readonly cookie?: unknown } = session;
  if (!isDeeperThan(data, maxReadLevels, hasNoPlainJson)) return; // the fast path: every response pays for this check
  fieldsOf(session);
  refuseDeeper(session, maxReadLevels);
}

function hasNoPlainJson(value: unknown): boolean {
  return typeof value === "bigint" || (isObject(value) && "toJSON" in value);
}

function refuseDeeper(session: object, levels: number): void {
  for (const [key, value] of Object.entries(session)) {
    if (isDeeperThan(value, levels - 1)) {
      throw invalidData(
        `A session may be nested ${maxWrittenLevels} levels deep, but its ${shownKey(key)} is nested deeper. ` +
          "Keep it flat, or as text; and check what clients send before it gets into a session.",
      );
    }
  }
}

function invalidData(message: string): SocketSessionError {
  return new SocketSessionError("SESSION_INVALID_DATA", `${message} Nothing was written.`);
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}
