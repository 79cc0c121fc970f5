/**
 * What belongs to a store of `express-session` in the sessions that it answers with, and outlives our writing: stamps that
 * it keeps for itself, and values that are not JSON, where it keeps sessions as objects.
 *
 * ```ts
 * withOwnValues({ cookie, id: "65f0", n: 2 }, { cookie, id: new ObjectId("65f0"), n: 1 }); // id is the ObjectId
 * ```
 */
import { isDeepStrictEqual } from "node:util";
import type { SessionDocument } from "../../session-store.ts";
import { dateOf, isRecord } from "../common/documents.ts";

/** The objects and lists of a session that hold values which are not JSON. */
type Holding = WeakSet<object>;

/** The top-level keys in which the store notes that a session was used: session-file-store, connect-mongo with `touchAfter`. */
export function stampsOf(store: object): readonly string[] {
  const options: unknown = "options" in store ? store.options : undefined;
  const marksTouches = isRecord(options) && Number(options.touchAfter) > 0;
  return marksTouches ? ["__lastAccess", "lastModified"] : ["__lastAccess"];
}

/**
 * `document`, which is JSON, with those values of `own` that JSON does not have, where the JSON of them still stands: at
 * the same keys, and in a list wherever the item is by now. A date that has become another date in its place stays one.
 * Never a guess: where two items of a list have the same JSON, as two regular expressions have, and are not the same, and
 * one of them is gone, what is left is the JSON.
 */
export function withOwnValues(document: SessionDocument, own: object): object {
  const { cookie, ...data } = document;
  const { cookie: _cookie, ...before } = { cookie, ...own };
  const holding: Holding = new WeakSet();
  return holds(before, holding) ? { cookie, ...restoredRecord(data, before, holding) } : document;
}

/** Whether `value` is not JSON, or holds what is not; enters it in `holding` then. */
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

/** An item that was there is found by its JSON. One that has changed is where it was, if the list is as long as it was. */
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

/** As JSON writes it in a list. */
function textOf(value: unknown): string {
  return JSON.stringify(value) ?? "null";
}

/** What JSON makes something else of: a date, an id of a database, binary data, a number that is not finite. */
function isForeign(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
