import { errorText, SocketSessionError } from "../base/errors.ts";
import { shownKey } from "../base/shown.ts";
import type { CookieDocument } from "../session-store.ts";
import { startKey } from "./absolute-life.ts";

/**
 * A session's data as merging sees them: the JSON text of each top-level key, without `cookie`. Text makes equality
 * exact and copies cheap, and makes `__proto__` an ordinary key.
 */
export type Fields = ReadonlyMap<string, string>;

/** Data as an application sees it: plain JSON by top-level key. */
export type SessionValues = Record<string, unknown>;

/**
 * The fields of a session object or document. They don't include `cookie` and the start. Throws `SESSION_INVALID_DATA` for values that can't be written as JSON.
 */
export function fieldsOf(values: object): Fields {
  const fields = new Map<string, string>();
  for (const key of Object.keys(values)) {
    if (key === "cookie" || key === startKey) continue;
    const text = textAt(values, key);
    if (text !== undefined) fields.set(key, text);
  }
  return fields;
}

/** The JSON text of the value at `key`; undefined if JSON leaves it out. Throws `SESSION_INVALID_DATA`. */
export function textAt(values: object, key: string): string | undefined {
  try {
    return JSON.stringify(Reflect.get(values, key));
  } catch (cause) {
    throw unwritable(key, cause);
  }
}

/** `cause`: the error thrown while the value at `key` was read. */
export function unwritable(key: string, cause: unknown): SocketSessionError {
  const reason =
    cause instanceof RangeError
      ? "it is nested too deeply, or too large. Keep it flat and small"
      : "Keep plain data in a session: no cycles, no BigInt, no getter or toJSON that throws";
  return new SocketSessionError(
    "SESSION_INVALID_DATA",
    `The session's ${shownKey(key)} cannot be written as JSON (${errorText(cause)}): ${reason}. Nothing was written.`,
    { cause },
  );
}

/** The parsed values of `fields`: a new object, owned by the caller. */
export function valuesOf(fields: Fields): SessionValues {
  return JSON.parse(jsonOf(fields));
}

/**
 * As `valuesOf`, for another version of `document`, which was made of `made`: values of the same text are shared with it, and not
 * parsed again.
 */
export function valuesBeside(fields: Fields, document: object, made: Fields): SessionValues {
  const valueAt = ([key, text]: [string, string]): [string, unknown] => [
    key,
    made.get(key) === text ? Reflect.get(document, key) : JSON.parse(text),
  ];
  return Object.fromEntries(Array.from(fields, valueAt)); // which makes `__proto__` an ordinary key
}

/** The text of each key of the document; the cookie comes first. */
export function withCookie(fields: Fields, cookie: CookieDocument): Fields {
  return new Map([["cookie", textAt({ cookie }, "cookie") ?? "{}"], ...fields]);
}

/** The JSON of an object with these keys and texts. */
export function jsonOf(fields: Fields): string {
  const members: string[] = [];
  for (const [key, text] of fields) members.push(`${JSON.stringify(key)}:${text}`);
  return `{${members.join(",")}}`;
}

export function sameFields(a: Fields, b: Fields): boolean {
  if (a.size !== b.size) return false;
  for (const [key, text] of a) if (b.get(key) !== text) return false;
  return true;
}
