/**
 * What belongs to a store of `express-session` in the sessions that it answers with, and outlives our writing: stamps that
 * it keeps for itself, and values that are not JSON, where it keeps sessions as objects.
 *
 * ```ts
 * withOwnValues({ cookie, id: "65f0", n: 2 }, { cookie, id: new ObjectId("65f0"), n: 1 }); // id is the ObjectId
 * ```
 */
import type { SessionDocument } from "../core/session-store.ts";
import { isRecord } from "./document-text.ts";
import { dateOf } from "./mongodb-values.ts";

type OwnByText = ReadonlyMap<string, object>;

/** The top-level keys in which the store notes that a session was used: session-file-store, connect-mongo with `touchAfter`. */
export function stampsOf(store: object): readonly string[] {
  const options: unknown = "options" in store ? store.options : undefined;
  const marksTouches = isRecord(options) && Number(options.touchAfter) > 0;
  return marksTouches ? ["__lastAccess", "lastModified"] : ["__lastAccess"];
}

/**
 * `document`, which is JSON, with those values of `own` that JSON does not have: where they stand, and where they have
 * moved to. A date that has become another date stays one.
 */
export function withOwnValues(document: SessionDocument, own: object): object {
  const { cookie, ...data } = document;
  const { cookie: _cookie, ...before } = { cookie, ...own };
  const ownByText = new Map<string, object>();
  collect(before, ownByText);
  return ownByText.size === 0 ? document : { cookie, ...restoredRecord(data, before, ownByText) };
}

function collect(value: unknown, ownByText: Map<string, object>): void {
  if (isForeign(value)) ownByText.set(JSON.stringify(value), value);
  else if (typeof value === "object" && value !== null)
    for (const child of Object.values(value)) collect(child, ownByText);
}

function restored(next: unknown, own: unknown, ownByText: OwnByText): unknown {
  if (next === own) return next;
  if (isForeign(own) && JSON.stringify(own) === JSON.stringify(next)) return own;
  if (typeof next === "string") {
    const moved = ownByText.get(JSON.stringify(next));
    return moved ?? (own instanceof Date ? (dateOf(next) ?? next) : next);
  }
  if (Array.isArray(next))
    return next.map((item, n) => restored(item, Array.isArray(own) ? own[n] : undefined, ownByText));
  return isRecord(next) ? restoredRecord(next, isRecord(own) ? own : {}, ownByText) : next;
}

function restoredRecord(
  next: Record<string, unknown>,
  own: Record<string, unknown>,
  ownByText: OwnByText,
): object {
  const restoredOf = (key: string, value: unknown) =>
    restored(value, Object.hasOwn(own, key) ? own[key] : undefined, ownByText);
  return Object.fromEntries(Object.entries(next).map(([key, value]) => [key, restoredOf(key, value)]));
}

/** An object that JSON makes something else of: a date, an id of a database, binary data. */
function isForeign(value: unknown): value is object {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype !== Object.prototype && prototype !== null;
}
