/**
 * Session documents as the text the stores keep, and back. `JSON.stringify` writes NUL and lone surrogates as escapes,
 * so the text is safe in any column that takes unicode.
 *
 * ```ts
 * parseDocument(documentText(document)); // a deep copy with JSON semantics
 * ```
 */
import type { CookieDocument, SessionDocument } from "../core/session-store.ts";

/** Throws a `TypeError` where the document is not JSON (a cycle, a BigInt). */
export function documentText(document: SessionDocument): string {
  return JSON.stringify(document);
}

export function parseDocument(text: string): SessionDocument {
  const value: unknown = JSON.parse(text);
  if (isDocument(value)) return value;
  throw new TypeError(
    "Expected the stored text of a session, an object with `cookie`, but found something else.",
  );
}

export function isDocument(value: unknown): value is SessionDocument {
  return isRecord(value) && isCookie(value.cookie);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCookie(value: unknown): value is CookieDocument {
  return isRecord(value);
}
