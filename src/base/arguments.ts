/**
 * Checks the arguments of public methods, before a method does anything. All checks throw `INVALID_OPTION` with the
 * expected value, the actual value, and the cure.
 */
import { type Clock, isClock, systemClock } from "./clock.ts";
import { SocketSessionError } from "./errors.ts";
import { shown, shownChoice, shownOption } from "./shown.ts";

export function invalid(expected: string, came: unknown, cure: string): SocketSessionError {
  return refusal(expected, shown(came), cure);
}

/** As `invalid`, for a value that is already described. */
export function refusal(expected: string, came: string, cure: string): SocketSessionError {
  return new SocketSessionError("INVALID_OPTION", `${expected}; it was ${came}. ${cure}`);
}

/** As `invalid`, for a choice from a list or a number, which may be shown. */
export function invalidChoice(expected: string, came: unknown, cure: string): SocketSessionError {
  return refusal(expected, shownChoice(came), cure);
}

/** Refuses a value that is not an options object, and every unknown option, even if its value is undefined. */
export function checkOptions(
  what: string,
  options: unknown,
  known: readonly string[],
  cures: Readonly<Record<string, string>> = {},
): asserts options is Readonly<Record<string, unknown>> {
  if (typeof options !== "object" || options === null || Array.isArray(options))
    throw invalid(`${what} expects an object of options`, options, `The options are ${asList(known)}.`);
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const cure = near ? `Write \`${near}\` instead.` : `The options are ${asList(known)}.`;
    const own = Object.hasOwn(cures, name) ? cures[name] : undefined;
    throw new SocketSessionError("INVALID_OPTION", `${what} has no ${shownOption(name)}. ${own ?? cure}`);
  }
}

/** Whether it is an object as literals and JSON make it, of any realm, or one without a prototype. */
export function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (typeof prototype !== "object" || prototype === null) return prototype === null;
  // the prototype of a class that extends null has no prototype either, but lacks the methods of Object.prototype
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/**
 * As `checkOptions`, for methods where an overlooked option would change the result: every property must be a known
 * option, own and enumerable.
 */
export function checkPlainOptions(
  what: string,
  options: unknown,
  known: readonly string[],
): asserts options is Readonly<Record<string, unknown>> {
  checkOptions(what, options, known);
  const listed: readonly unknown[] = Object.keys(options);
  const hidesOne = Reflect.ownKeys(options).some((key) => !listed.includes(key));
  const inheritsOne = known.some((name) => name in options && !listed.includes(name));
  if (isPlain(options) && !hidesOne && !inheritsOne) return;
  throw invalid(
    `${what} expects a plain object, with options of its own`,
    options,
    `Write an object literal. The options are ${asList(known)}.`,
  );
}

/** Returns the given clock, or the system's; refuses anything that is not a clock. */
export function clockOf(what: string, clock: unknown = systemClock): Clock {
  if (isClock(clock)) return clock;
  throw invalid(
    `\`clock\` of ${what} expects an object with now() and after()`,
    clock,
    "Leave it out for the system's.",
  );
}

/** The given number of milliseconds, or the standard. */
export function milliseconds(
  option: string,
  value: unknown,
  standard: number,
  { least = 0, most }: { readonly least?: number; readonly most: number },
): number {
  const ms = value ?? standard;
  if (typeof ms === "number" && ms >= least && ms <= most) return ms;
  const limit = Number(ms) > most ? `, ${most} at most` : "";
  const expected = `\`${option}\` expects milliseconds, ${least} or more${limit}`;
  throw invalidChoice(expected, ms, `Leave it out for ${standard}.`);
}

/** Refuses an event that is never emitted, and a listener that is not a function. */
export function checkListener(
  method: string,
  event: unknown,
  listener: unknown,
  known: readonly string[],
): void {
  if (typeof event !== "string" || !known.includes(event)) {
    const near = typeof event === "string" ? nearest(event, known) : undefined;
    const cure = near ? `Write "${near}" instead.` : `The events are ${asList(known)}.`;
    throw invalidChoice(`${method} expects the name of an event`, event, cure);
  }
  if (typeof listener !== "function")
    throw invalid(`${method} expects a function as listener`, listener, "Give it the listener.");
}

/** Refuses the callback that `express-session` or Socket.IO takes in such a place: it would never be called. */
export function refuseCallback(method: string, given: readonly unknown[]): void {
  if (!given.some((one) => typeof one === "function")) return;
  throw invalid(
    `${method} expects no callback`,
    given.find((one) => typeof one === "function"),
    "It returns a promise: await that.",
  );
}

/** Refuses a request given to a method that makes a middleware. */
export function refuseRequest(method: string, given: readonly unknown[], cure: string): void {
  if (typeof given[2] !== "function") return;
  const message = `${method} expects no argument, and returns the middleware; it was given a request. ${cure}`;
  throw new SocketSessionError("INVALID_OPTION", message);
}

/** Refuses arguments of a method that takes none: they may be options that would have no effect. */
export function refuseArguments(method: string, given: readonly unknown[]): void {
  if (given.length > 0)
    throw invalid(`${method} expects no argument`, given[0], "Options are given to liveSessions().");
}

/** Longer names are not compared with the known ones. */
const maxNameLength = 60;

function asList(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(", ");
}

function nearest(name: string, known: readonly string[]): string | undefined {
  if (name.length > maxNameLength) return undefined;
  const ranked = known
    .map((one) => ({ one, distance: editDistance(name.toLowerCase(), one.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  const [best] = ranked;
  const most = Math.min(Math.max(2, Math.floor(name.length / 3)), name.length - 1);
  return best && best.distance <= most ? best.one : undefined;
}

/** The number of characters to insert, remove or replace (Levenshtein). */
function editDistance(from: string, to: string): number {
  let row = Array.from({ length: to.length + 1 }, (_, index) => index);
  for (const [index, character] of [...from].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= to.length; column++) {
      const kept = (row[column - 1] ?? 0) + (to[column - 1] === character ? 0 : 1);
      next.push(Math.min(kept, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}
