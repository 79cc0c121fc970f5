/**
 * Checks the options of this package's stores. Every error is an `INVALID_OPTION` in one form: what the option expects,
 * what it was, and the cure.
 *
 * ```ts
 * const check = checkStoreOptions("redisStore()", "redisStore({ client })", options, known);
 * check.number("ttl", ttl, { unit: "seconds", above: 0 });
 * ```
 */
import { checkOptions, refusal } from "../../base/arguments.ts";
import { shown, shownChoice } from "../../base/shown.ts";
import { maxLifeMs } from "../../data/life-time.ts";
import { isRecord } from "./documents.ts";
import { recognised } from "./recognised.ts";

interface Range {
  readonly unit: string;
  /** Exclusive. */
  readonly above?: number;
  readonly min?: number;
  readonly max?: number;
  readonly cure?: string;
}

const forTheDefault = "Leave it out for the default.";

/** For options of `liveSessions` that are passed to the store by mistake. */
const curesOfMisplaced = {
  ttlMs: "It is an option of liveSessions().",
  ttl: "Set `ttlMs` of liveSessions(), or `cookie.maxAge`.",
  ...Object.fromEntries(
    ["secret", "name", "cookie", "userId"].map((name) => [name, "It is an option of liveSessions()."]),
  ),
};

const curesOfSeconds = {
  ttlMs: "It is an option of liveSessions(), in milliseconds; this store has `ttl`, in seconds.",
};

/** The range of a life time, in seconds. */
export const lifeTime: Range = { unit: "seconds", above: 0, max: maxLifeMs / 1000 };

export class OptionChecks {
  readonly #what: string;

  constructor(what: string) {
    this.#what = what;
  }

  /** `expected` follows the word "expects" in the message. */
  expect(holds: boolean, option: string, expected: string, came: string, cure = forTheDefault): void {
    if (!holds) throw refusal(`\`${option}\` of ${this.#what} expects ${expected}`, came, cure);
  }

  number(option: string, value: unknown, { unit, above, min = 0, max, cure }: Range): void {
    const isInRange = (n: number) => (above === undefined ? n >= min : n > above) && n <= (max ?? n);
    const holds = typeof value === "number" && Number.isFinite(value) && isInRange(value);
    const range = above === undefined ? `of ${min} or more` : `greater than ${above}`;
    const limit = max === undefined ? "" : `, ${max} at most`;
    this.expect(holds, option, `a number of ${unit} ${range}${limit}`, shownChoice(value), cure);
  }

  flag(option: string, value: unknown): void {
    this.expect(typeof value === "boolean", option, "true or false", shown(value));
  }

  callback(option: string, value: unknown): void {
    this.expect(value === undefined || typeof value === "function", option, "a function", shown(value));
  }

  choice(option: string, value: unknown, choices: readonly unknown[]): void {
    const listed = choices.map((one) => JSON.stringify(one)).join(", ");
    this.expect(choices.includes(value), option, `one of ${listed}`, shownChoice(value));
  }
}

/**
 * Refuses anything but an object of options, such as the client itself, and unknown options that have a value. `usage`
 * shows what to write. Returns the checks of the values.
 */
export function checkStoreOptions(
  what: string,
  usage: string,
  options: unknown,
  known: Readonly<Record<string, true>>,
  cures: Readonly<Record<string, string>> = {},
  isHarmless: (name: string, value: unknown) => boolean = () => false,
): OptionChecks {
  const expected = `${what} expects an object of options`;
  const found = recognised(options);
  if (found) throw refusal(expected, found.what, found.cure);
  if (!isRecord(options)) throw refusal(expected, shown(options), `Write ${usage}.`);
  const given = Object.entries(options).filter(
    ([name, value]) => value !== undefined && !isHarmless(name, value),
  );
  const all = { ...curesOfMisplaced, ...("ttl" in known && curesOfSeconds), ...cures };
  checkOptions(what, Object.fromEntries(given), Object.keys(known), all);
  return new OptionChecks(what);
}
