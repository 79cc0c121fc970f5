/**
 * Converts session documents to the text that stores keep, and back. `JSON.stringify` escapes NUL and lone surrogates, so
 * the text is safe in any column that takes unicode.
 *
 * ```ts
 * parseDocument(documentText(document)); // a deep copy with JSON semantics
 * ```
 */

import createDebug from "debug";
import { errorText, isUnreadable, unreadableError } from "../../base/errors.ts";
import { isDeeperThan, maxReadLevels, tooDeepToRead } from "../../data/bounds.ts";
import type { CookieDocument, SessionDocument } from "../../session-store.ts";

/** A level of nesting has at least two brackets. */
const charactersPerLevel = 2;

/** Throws a `TypeError` if the document is not JSON (a cycle, a BigInt). */
export function documentText(document: SessionDocument): string {
  return JSON.stringify(document);
}

/** Throws `SESSION_UNREADABLE`. */
export function parseDocument(text: string): SessionDocument {
  return documentIn(parsed(text), text.length);
}

/** Returns `value` if it is a session's document, else throws `SESSION_UNREADABLE`. `length`: of its text, if known. */
export function documentIn(value: unknown, length = Number.POSITIVE_INFINITY): SessionDocument {
  const mayBeDeep = length > maxReadLevels * charactersPerLevel; // most texts are shorter
  if (mayBeDeep && isDeeperThan(value, maxReadLevels)) throw tooDeepToRead();
  if (isDocument(value)) return value;
  if (!isRecord(value)) throw unreadableError(kindOf(value));
  throw unreadableError(isRecord(value.cookie) ? wrongLife : "an object without one");
}

/** A copy as JSON. Throws `SESSION_UNREADABLE` if `value` is not JSON. */
export function jsonCopy(value: unknown): unknown {
  if (isDeeperThan(value, maxReadLevels)) throw tooDeepToRead();
  try {
    return JSON.parse(JSON.stringify(value));
  } catch (cause) {
    throw unreadableError("what is not JSON", cause);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw unreadableError("text that is not JSON", cause); // its message quotes the text
  }
}

export function isDocument(value: unknown): value is SessionDocument {
  return isRecord(value) && isCookie(value.cookie);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Describes a document whose cookie `express-session` can't use. */
export const wrongLife = "one whose life time (`originalMaxAge` or `maxAge`) is not a number";

/** `express-session` throws at any other life time, and the request is never answered. */
function isCookie(value: unknown): value is CookieDocument {
  return isRecord(value) && [value.originalMaxAge, value.maxAge].every(isLife);
}

function isLife(value: unknown): boolean {
  return value === undefined || value === null || typeof value === "number";
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return Array.isArray(value) ? "an array" : `a ${typeof value}`;
}

const debug = createDebug("socket-session:store");

/**
 * Reads one session among many, so that a damaged session does not keep the others from being listed: if `read` throws
 * `SESSION_UNREADABLE`, logs that as debug output and returns null. A read of that session alone rejects.
 */
export function ifReadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    return nullIfUnreadable(error);
  }
}

/** As `ifReadable`, for a read that has rejected. */
export function nullIfUnreadable(error: unknown): null {
  if (!isUnreadable(error)) throw error;
  debug("a stored session can't be read: %s", errorText(error));
  return null;
}

/** The date that JSON writes as exactly this text. */
export function dateOf(text: string): Date | undefined {
  const date = new Date(text);
  return !Number.isNaN(date.getTime()) && date.toISOString() === text ? date : undefined;
}
