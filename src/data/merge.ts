import type { Fields } from "./fields.ts";
import { lifeToleranceMs } from "./life-time.ts";
import type { CookieDocument } from "../session-store.ts";

/** One writer's changes to the fields it loaded: the new text of each key, or undefined if it removed the key. */
export type Patch = ReadonlyMap<string, string | undefined>;

/** The top-level keys in which `mine` differs from the `base` that was loaded. */
export function diff(base: Fields, mine: Fields): Patch {
  const patch = new Map<string, string | undefined>();
  for (const [key, text] of mine) if (base.get(key) !== text) patch.set(key, text);
  for (const key of base.keys()) if (!mine.has(key)) patch.set(key, undefined);
  return patch;
}

/** Applies `patch` to what is stored now. Keys outside the patch keep their current value and order. */
export function applyPatch(current: Fields, patch: Patch): Fields {
  const merged = new Map(current);
  for (const [key, text] of patch) {
    if (text === undefined) merged.delete(key);
    else merged.set(key, text);
  }
  return merged;
}

/** The keys of `patch` that another writer has changed to a different value since `base` was loaded. */
export function conflictsOf(base: Fields, current: Fields, patch: Patch): string[] {
  const conflicts: string[] = [];
  for (const [key, text] of patch) {
    const now = current.get(key);
    if (now !== base.get(key) && now !== text) conflicts.push(key);
  }
  return conflicts;
}

/**
 * Whether a request changed its session's cookie. Every touch moves `expires`, so it does not count. `express-session`
 * derives `originalMaxAge` from `expires` and sometimes loses a millisecond.
 */
export function cookieChanged(base: CookieDocument, mine: CookieDocument): boolean {
  const isOther = (key: string) =>
    key !== "expires" &&
    key !== "originalMaxAge" &&
    base[key] !== mine[key] &&
    JSON.stringify(base[key]) !== JSON.stringify(mine[key]);
  if (Object.keys(base).some(isOther) || Object.keys(mine).some(isOther)) return true;
  return !sameAge(base.originalMaxAge, mine.originalMaxAge);
}

function sameAge(a: number | null | undefined, b: number | null | undefined): boolean {
  if (typeof a !== "number" || typeof b !== "number") return (a ?? null) === (b ?? null);
  return Math.abs(a - b) <= lifeToleranceMs(a);
}
