import type { LiveSession } from "../api.ts";
import { checkPlainOptions, invalid, milliseconds } from "../base/arguments.ts";
import type { Clock } from "../base/clock.ts";
import { listenerError } from "../base/errors.ts";
import { AsyncAnswer, dataFunction } from "./data-function.ts";

type Data = LiveSession["data"];

/** Whether a session's data satisfy a rule. Anything but `true` is false. */
export type RulePredicate = (data: Data) => boolean;

/** Options of `sessions.require()`. */
export interface RuleOptions {
  /** What a refused page gets as `code`: 100 characters at most. Default: `SESSION_FORBIDDEN`. */
  code?: string;
  /** The time of `since` must be no longer ago than this, in milliseconds: for what needs a recent login. */
  withinMs?: number;
  /**
   * When the visitor has shown who they are, in milliseconds since the epoch: what the application wrote at the login,
   * such as `data.loggedInAt`. Undefined: never. Goes with `withinMs`.
   */
  since?: (data: Data) => number | undefined;
}

interface Recency {
  readonly withinMs: number;
  readonly since: (data: Data) => unknown;
}

interface RuleContext {
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
}

const method = "sessions.require()";
const options: Readonly<Record<keyof RuleOptions, true>> = { code: true, withinMs: true, since: true };
const maxCodeLength = 100;
/** How far another node's clock may be ahead of this one's. */
const maxAheadMs = 60_000;
/** The longest that dates of JavaScript reach. */
const maxWithinMs = 8.64e15;

/** What `sessions.require` was given: a predicate over a session's data, and how recent its login has to be. */
export class Rule {
  readonly code: string;
  readonly #predicate: (data: Data) => unknown;
  readonly #recency: Recency | undefined;
  readonly #context: RuleContext;

  /** Throws `INVALID_OPTION`. */
  constructor(context: RuleContext, predicate: unknown, given: unknown) {
    this.#context = context;
    this.#predicate = asked("expects a function of the session's data", predicate, context.report);
    checkPlainOptions(method, given, Object.keys(options));
    this.code = codeOf(given.code);
    this.#recency = recencyOf(given, context.report);
  }

  /**
   * Until when these data satisfy the rule, in milliseconds since the epoch; `-Infinity` if they don't. An error of the
   * predicate is reported. Throws `INVALID_OPTION` if it returns a promise.
   */
  until(data: Data): number {
    try {
      if (this.#predicate(data) !== true) return Number.NEGATIVE_INFINITY;
      return this.#recency ? this.#runsOut(this.#recency, data) : Number.POSITIVE_INFINITY;
    } catch (error) {
      if (error instanceof AsyncAnswer) throw error.refused;
      this.#context.report(listenerError(`A function given to ${method}`, error));
      return Number.NEGATIVE_INFINITY;
    }
  }

  holds(data: Data): boolean {
    return this.until(data) > this.#context.clock.now();
  }

  #runsOut({ withinMs, since }: Recency, data: Data): number {
    const at = since(data);
    if (at === undefined || at === null) return Number.NEGATIVE_INFINITY;
    if (typeof at !== "number") {
      const cure = "A date in a session is a text: return Date.parse(data.loggedInAt), or keep Date.now().";
      throw invalid(`\`since\` of ${method} expects to return milliseconds since the epoch`, at, cure);
    }
    const isPossible = at <= this.#context.clock.now() + maxAheadMs;
    return isPossible ? at + withinMs : Number.NEGATIVE_INFINITY;
  }
}

/** Throws `INVALID_OPTION`. */
function asked(expected: string, fn: unknown, report: RuleContext["report"]): (data: Data) => unknown {
  return dataFunction({
    fn,
    expected: `${method} ${expected}`,
    cure: "Write sessions.require((data) => data.admin === true).",
    cureOfAsync: "A rule is asked at each change and event: keep in the session what it decides by.",
    report,
  });
}

function codeOf(code: unknown = "SESSION_FORBIDDEN"): string {
  if (typeof code === "string" && code !== "" && code.length <= maxCodeLength) return code;
  const expected = `\`code\` of ${method} expects a text of 1 to ${maxCodeLength} characters`;
  throw invalid(expected, code, "Leave it out for SESSION_FORBIDDEN.");
}

function recencyOf(
  { withinMs, since }: Readonly<Record<string, unknown>>,
  report: RuleContext["report"],
): Recency | undefined {
  if (withinMs === undefined && since === undefined) return undefined;
  const cure = "Write { withinMs: 300_000, since: (data) => data.loggedInAt }.";
  if (withinMs === undefined) throw invalid(`\`since\` of ${method} expects \`withinMs\``, withinMs, cure);
  if (since === undefined) throw invalid(`\`withinMs\` of ${method} expects \`since\``, since, cure);
  return {
    withinMs: milliseconds("withinMs", withinMs, 300_000, { least: 1, most: maxWithinMs }),
    since: asked("expects `since` to be a function of the session's data", since, report),
  };
}
