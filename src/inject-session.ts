import { randomBytes } from "node:crypto";
import { serialize } from "cookie";
import { sign } from "cookie-signature";
import { Cookie } from "express-session";
import { checkOptions, invalid, invalidChoice, isPlain } from "./base/arguments.ts";
import { fieldsOf } from "./data/fields.ts";
import { dateText, maxLifeMs } from "./data/life-time.ts";
import { refuseLosses } from "./data/lost-in-json.ts";
import type { ResolvedOptions } from "./options/options.ts";
import type { Saves } from "./session/saves.ts";
import type { CookieDocument, SessionKey } from "./session-store.ts";

export interface InjectOptions {
  /** The session's own life time, as by `cookie.maxAge`. Default: as configured. */
  maxAge?: number;
}

interface Internals {
  readonly options: ResolvedOptions;
  readonly nameOf: (sid: string) => SessionKey;
  readonly saves: Saves;
}

const internals = new WeakMap<object, Internals>();

/** Grants access to `socket-session/testing` alone. */
export function exposeInternals(sessions: object, value: Internals): void {
  internals.set(sessions, value);
}

/**
 * Stores a session as a request would, and signs its cookie. Rejects with `INVALID_OPTION` before anything is stored.
 */
export async function injectSession(
  sessions: object,
  data: object,
  injectOptions: InjectOptions,
): Promise<{ sid: string; cookie: string }> {
  const inner = internals.get(sessions);
  if (!inner)
    throw invalid(
      "signIn() expects what liveSessions() returned",
      sessions,
      "Give it that, and then the data.",
    );
  checkData(data);
  const fields = fieldsOf(data);
  refuseLosses(data, fields);
  const maxAge = maxAgeOf(injectOptions);
  const { options, nameOf, saves } = inner;
  const sid = randomBytes(24).toString("base64url");
  const cookie = cookieOf(options, maxAge);
  await saves.saveWhole(nameOf(sid), { fields, cookie });
  const [secret = ""] = options.secrets;
  return { sid, cookie: serialize(options.name, `s:${sign(sid, secret as string)}`) };
}

/** The cookie that `express-session` would store for a request over HTTP; `maxAge` replaces the configured one. */
function cookieOf({ shared, clock }: ResolvedOptions, maxAge: number | undefined): CookieDocument {
  const configured = typeof shared.cookie === "object" ? shared.cookie : {};
  const made: Cookie = Reflect.construct(Cookie, [configured]); // its types declare no argument
  const { secure, sameSite } = configured as { secure?: unknown; sameSite?: unknown };
  if (secure === "auto") made.secure = false;
  if (sameSite === "auto") made.sameSite = "lax";
  const life = maxAge ?? configured.maxAge ?? made.originalMaxAge;
  const expires = life === null ? null : dateText(clock.now() + life);
  return { ...JSON.parse(JSON.stringify(made)), originalMaxAge: life, expires };
}

function checkData(data: unknown): void {
  if (!isPlain(data))
    throw invalid(
      "signIn() expects a plain object as the data of the session",
      data,
      'Such as { name: "ada" }.',
    );
  if ("cookie" in data)
    throw invalid("signIn() expects data without `cookie`", data.cookie, "Set `maxAge` in its options.");
}

function maxAgeOf(options: unknown): number | undefined {
  checkOptions("signIn()", options, ["maxAge"]);
  const { maxAge } = options;
  if (maxAge === undefined && !("maxAge" in options)) return undefined;
  if (typeof maxAge === "number" && maxAge > 0 && maxAge <= maxLifeMs) return maxAge;
  throw invalidChoice(
    `signIn() expects \`maxAge\` in milliseconds, ${maxLifeMs} at most`,
    maxAge,
    "Leave it out for what is configured.",
  );
}
