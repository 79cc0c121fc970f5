/**
 * Preserves two kinds of values when a session of an `express-session` store is written: stamps that the store keeps for
 * itself, and values that are not JSON, if the store keeps sessions as objects.
 *
 * ```ts
 * withOwnValues({ cookie, id: "65f0", n: 2 }, { cookie, id: new ObjectId("65f0"), n: 1 }); // id is the ObjectId
 * ```
 */
import { isDeepStrictEqual } from "node:util";
import type { SessionDocument } from "../../session-store.ts";
import { dateOf, isRecord } from "../common/documents.ts";

/** The objects and lists of a session that hold values other than JSON. */
type Holding = WeakSet<object>;

/** The top-level keys in which a store notes a session's last use: session-file-store, connect-mongo with `touchAfter`. */
export function stampsOf(store: object): readonly string[] {
  const options: unknown = "options" in store ? store.options : undefined;
  const marksTouches = isRecord(options) && Number(options.touchAfter) > 0;
  return marksTouches ? ["__lastAccess", "lastModified"] : ["__lastAccess"];
}

/**
 * Returns `document`, which is JSON, with the values of `own` that are not JSON, wherever their JSON is unchanged: at the
 * same keys, and in a list at any position. A date that has changed to another date in its place stays a date. It never
 * guesses: if different items of a list have the same JSON, such as two regular expressions, and one of them is gone, the
 * rest stay JSON.
 */
export function withOwnValues(document: SessionDocument, own: object): object {
  const { cookie, ...data } = document;
  const { cookie: _cookie, ...before } = { cookie, ...own };
  const holding: Holding = new WeakSet();
  return holds(before, holding) ? { cookie, ...restoredRecord(data, before, holding) } : document;
}

/** Whether `value` is not JSON, or holds such a value; adds it to `holding` in the second case. */
function holds(value: unknown, holding: Holding): boolean {
  if (isForeign(value)) return true;
  if (typeof value !== "object" || value === null) return false;
  let found = false;
  for (const child of Object.values(value)) found = holds(child, holding) || found;
  if (found) holding.add(value);
  return found;
}

function restored(next: unknown, own: unknown, holding: Holding): unknown {
  if (isForeign(own)) {
    if (JSON.stringify(own) === JSON.stringify(next)) return own;
    return own instanceof Date && typeof next === "string" ? (dateOf(next) ?? next) : next;
  }
  if (typeof own !== "object" || own === null || !holding.has(own)) return next;
  if (Array.isArray(own)) return Array.isArray(next) ? restoredList(next, own, holding) : next;
  return isRecord(next) && isRecord(own) ? restoredRecord(next, own, holding) : next;
}

function restoredRecord(
  next: Record<string, unknown>,
  own: Record<string, unknown>,
  holding: Holding,
): object {
  const restoredOf = (key: string, value: unknown) =>
    Object.hasOwn(own, key) ? restored(value, own[key], holding) : value;
  return Object.fromEntries(Object.entries(next).map(([key, value]) => [key, restoredOf(key, value)]));
}

/** Finds an unchanged item by its JSON. A changed item is taken to be in its place if the length of the list is the same. */
function restoredList(next: unknown[], own: unknown[], holding: Holding): unknown[] {
  const nextByText = Map.groupBy(next, textOf);
  const ownByText = Map.groupBy(own, textOf);
  const leftByText = new Map<string, unknown[]>();
  for (const [text, same] of ownByText) {
    const isAllThere = nextByText.get(text)?.length === same.length;
    const isOneForAll = () => same.every((one) => isDeepStrictEqual(one, same[0]));
    if (isAllThere || isOneForAll()) leftByText.set(text, same.toReversed());
  }
  return next.map((item, n) => {
    const text = textOf(item);
    if (ownByText.has(text)) return leftByText.get(text)?.pop() ?? item;
    const isInPlace = next.length === own.length && !nextByText.has(textOf(own[n]));
    return isInPlace ? restored(item, own[n], holding) : item;
  });
}

/** The JSON of an item in a list. */
function textOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/** Whether JSON changes the value: a date, a database id, binary data, a number that is not finite. */
function isForeign(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
