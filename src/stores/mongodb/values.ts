/**
 * Converts BSON values to text, and back, for sessions kept as objects (`stringify: false`): JSON and dates. The text of a
 * value serves as its revision, so it is exact: equal texts make equal values, with fields in the same order.
 *
 * ```ts
 * valueText({ at: new Date(0) }); // '{"at":["date",0]}'
 * valueFrom(JSON.parse('{"at":["date",0]}')); // { at: new Date(0) }
 * ```
 */
import { unreadableError } from "../../base/errors.ts";
import { shownKey } from "../../base/shown.ts";
import { dateOf, isRecord } from "../common/documents.ts";

/** Throws `SESSION_UNREADABLE` for anything but JSON and dates: an ObjectId, binary data, a decimal. */
export function valueText(session: unknown): string {
  return JSON.stringify(isPlain(session) ? recordOf(session, (key) => key) : tagged(session, undefined));
}

/** `top`: the top-level key of the value, for the error. Deeper keys and values may hold anything and are not quoted. */
function tagged(value: unknown, top: string | undefined): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) return ["number", String(value)];
  if (value === null || ["string", "number", "boolean"].includes(typeof value)) return value;
  if (value instanceof Date) return ["date", value.getTime()];
  // Arrays get the tag "array", so that no array of a session is mistaken for a tag.
  if (Array.isArray(value)) return ["array", ...value.map((item) => tagged(item, top))];
  if (isPlain(value)) return recordOf(value, () => top);
  throw unreadableError(
    `one that is kept as an object of which ${top === undefined ? "the whole" : shownKey(top)} holds ${kindOf(value)}. ` +
      "Objects may hold JSON and dates: keep its text in the session instead, or use stringify: true",
  );
}

function recordOf(record: Record<string, unknown>, topOf: (key: string) => string | undefined): unknown {
  return Object.fromEntries(Object.entries(record).map(([key, item]) => [key, tagged(item, topOf(key))]));
}

/** The reverse of `valueText`, from its parsed text. */
export function valueFrom(value: unknown): unknown {
  if (Array.isArray(value)) {
    const [tag, ...rest] = value;
    if (tag === "date") return new Date(Number(rest[0]));
    if (tag === "number") return Number(rest[0]);
    return rest.map(valueFrom);
  }
  if (!isRecord(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, valueFrom(item)]));
}

/**
 * Returns `value`, which is JSON, with dates where `before` has dates: an application that keeps dates in its sessions
 * still finds dates there after a write from a socket or a request, which passes through JSON.
 */
export function withDates(value: unknown, before: unknown): unknown {
  if (before instanceof Date) return typeof value === "string" ? (dateOf(value) ?? value) : value;
  if (Array.isArray(value)) {
    return Array.isArray(before) ? value.map((item, n) => withDates(item, before[n])) : value;
  }
  if (!isRecord(value) || !isRecord(before)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      withDates(item, Object.hasOwn(before, key) ? before[key] : undefined),
    ]),
  );
}

function isPlain(value: unknown): value is Record<string, unknown> {
  if (!isRecord(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function kindOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return `a ${typeof value}`;
  const type: unknown = Reflect.get(value, "constructor");
  return typeof type === "function" ? `a value of type ${type.name}` : "an object without a class";
}
