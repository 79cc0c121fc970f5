/**
 * What JSON loses in silence: a Map or a promise becomes `{}`, a function is left out. `update` refuses it, as it would be
 * missed only when the session is read again.
 */
import { types } from "node:util";
import { SocketSessionError } from "../errors.ts";
import { shownKey } from "../shown.ts";

const dataAlone = "Keep data alone in a session.";

const losses: readonly (readonly [is: (value: unknown) => boolean, what: string, cure: string])[] = [
  [(value) => typeof value === "function", "a function", dataAlone],
  [(value) => typeof value === "symbol", "a symbol", dataAlone],
  [types.isMap, "a Map", "Write Object.fromEntries(map), or [...map]."],
  [types.isSet, "a Set", "Write [...set]."],
  [types.isWeakMap, "a WeakMap", dataAlone],
  [types.isWeakSet, "a WeakSet", dataAlone],
  [types.isPromise, "a promise", "Await it first."],
  [types.isRegExp, "a RegExp", "Write regexp.source."],
  [types.isNativeError, "an Error", "Write error.message."],
];

/** Throws `SESSION_INVALID_DATA`. For values that JSON has been made of: they hold no cycle. */
export function refuseLosses(values: object): void {
  for (const [key, value] of Object.entries(values)) {
    const loss = lossIn(value);
    if (!loss) continue;
    const [, what, cure] = loss;
    const message = `The session's ${shownKey(key)} expects what JSON can hold; it was, or held, ${what}. ${cure} Nothing was written.`;
    throw new SocketSessionError("SESSION_INVALID_DATA", message);
  }
}

function lossIn(value: unknown): (typeof losses)[number] | undefined {
  const open: unknown[] = [value];
  for (const one of open) {
    if (typeof one !== "object" && typeof one !== "function" && typeof one !== "symbol") continue;
    if (one === null || saysItself(one)) continue;
    const loss = losses.find(([is]) => is(one));
    if (loss) return loss;
    for (const held of Array.isArray(one) ? one : Object.values(one)) if (isWorthALook(held)) open.push(held);
  }
  return undefined;
}

/** A date, bytes, and whatever else has a `toJSON` or is a list of numbers. */
function saysItself(value: object | symbol): boolean {
  return ArrayBuffer.isView(value) || typeof Reflect.get(Object(value), "toJSON") === "function";
}

function isWorthALook(value: unknown): boolean {
  return typeof value === "object" || typeof value === "function" || typeof value === "symbol";
}
