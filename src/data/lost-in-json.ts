/**
 * Finds values that JSON drops silently: a Map or a promise becomes `{}`, a function is left out. `update` refuses
 * them, as the loss would only show when the session is read again.
 */
import { types } from "node:util";
import { SocketSessionError } from "../base/errors.ts";
import { shownKey } from "../base/shown.ts";
import { type Fields, unwritable } from "./fields.ts";

const dataAlone = "Keep data alone in a session.";

type Loss = readonly [is: (value: unknown) => boolean, what: string, cure: string];

const losses: readonly Loss[] = [
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

/** Stands for a value that holds more than its JSON did. */
const unsteady: Loss = [() => false, "what is another value each time it is read", dataAlone];

/**
 * Throws `SESSION_INVALID_DATA`. `texts` are the JSON of `values`. A text that equals the one `before` has lost
 * nothing, except that `{}` may now be a Map.
 */
export function refuseLosses(values: object, texts: Fields, before: Fields = new Map()): void {
  for (const key of Object.keys(values)) {
    const text = texts.get(key);
    if (text !== undefined && text !== "{}" && text === before.get(key)) continue;
    const loss = lossAt(values, key, text);
    if (!loss) continue;
    const [, what, cure] = loss;
    const message = `The session's ${shownKey(key)} expects what JSON can hold; it was, or held, ${what}. ${cure} Nothing was written.`;
    throw new SocketSessionError("SESSION_INVALID_DATA", message);
  }
}

function lossAt(values: object, key: string, text = ""): Loss | undefined {
  try {
    return lossIn(Reflect.get(values, key), text.length + 1);
  } catch (cause) {
    throw unwritable(key, cause); // this reads the value a second time
  }
}

/**
 * The first value in `value` that JSON would drop, and how to keep it; undefined if there is none. `most`: the most values
 * that the JSON can contain, at one character each.
 */
export function lossIn(value: unknown, most: number): Loss | undefined {
  const open: unknown[] = [value];
  let found = 0;
  for (const one of open) {
    if (!canLoseData(one) || hasOwnJson(one)) continue;
    const loss = losses.find(([is]) => is(one));
    if (loss) return loss;
    if (++found > most) return unsteady;
    for (const held of Array.isArray(one) ? one : Object.values(one)) if (canLoseData(held)) open.push(held);
  }
  return undefined;
}

/** Dates, bytes, and anything else that has a `toJSON` or is a list of numbers. */
function hasOwnJson(value: object | symbol): boolean {
  return ArrayBuffer.isView(value) || typeof Reflect.get(Object(value), "toJSON") === "function";
}

function canLoseData(value: unknown): value is object | symbol {
  return (
    (typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "symbol"
  );
}
