/**
 * The options shared with `express-session`, by their own names. Each is checked before use, and refused with the
 * reason.
 */
import { serialize } from "cookie";
import type { SessionOptions } from "express-session";
import { checkOptions, invalid, invalidChoice } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import { maxLifeMs } from "../data/life-time.ts";

/** The options of `express-session` that keep their name and meaning; `key` is an alias of `name`. */
export type SharedOptions = Pick<
  SessionOptions,
  "cookie" | "genid" | "name" | "proxy" | "rolling" | "saveUninitialized" | "unset"
>;

const cookieAttributes = [
  ...["domain", "encode", "expires", "httpOnly", "maxAge", "originalMaxAge", "partitioned", "path"],
  ...["priority", "sameSite", "secure", "signed"],
];

/** Options of older versions, or options that users look for here. */
export const curesOfUnknown = {
  ...Object.fromEntries(
    cookieAttributes.map((name) => [name, `It is one of \`cookie\`: cookie: { ${name}: … }.`]),
  ),
  ttl: "Write `ttlMs`, in milliseconds; a store of this package has a `ttl` of its own, in seconds.",
};

/** Returns those that were given; `saveUninitialized` is false by default. Throws `INVALID_OPTION`. */
export function sharedOptionsOf(
  options: SharedOptions & { readonly resave?: unknown },
  name: string,
): SharedOptions {
  const { cookie, genid, proxy, rolling, saveUninitialized = false, unset, resave = false } = options;
  if (resave !== false) {
    const why =
      "it writes what a request loaded back over what was written since, and revives sessions after logout";
    throw invalid(
      "`resave` expects false",
      resave,
      `Remove \`resave: true\`: ${why}. Nothing needs it here.`,
    );
  }
  for (const [option, value] of Object.entries({ proxy, rolling, saveUninitialized })) {
    if (value !== undefined && typeof value !== "boolean")
      throw invalid(`\`${option}\` expects true or false`, value, "Leave it out for the default.");
  }
  if (genid !== undefined && typeof genid !== "function") {
    const cure = "It must be a function that returns the id of a new session, or be left out.";
    throw invalid("`genid` expects a function", genid, cure);
  }
  if (unset !== undefined && unset !== "destroy" && unset !== "keep")
    throw invalidChoice(
      '`unset` expects "destroy" or "keep"',
      unset,
      "It must be one of them, or be left out.",
    );
  checkCookie(cookie, name);
  const given = { cookie, genid, proxy, rolling, saveUninitialized, unset };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/** Refuses attributes that would fail at each response that sets the cookie, or be left out of it silently. */
function checkCookie(cookie: SharedOptions["cookie"], name: string): void {
  const attributes: object = typeof cookie === "function" || cookie === undefined ? {} : cookie;
  checkOptions("`cookie`", attributes, cookieAttributes);
  const { maxAge, originalMaxAge, httpOnly, secure, partitioned, sameSite, path, domain, expires, priority } =
    attributes;
  for (const [option, life] of Object.entries({ maxAge, originalMaxAge })) {
    if (life === undefined || life === null) continue;
    if (typeof life === "number" && Math.abs(life) <= maxLifeMs) continue;
    const cure = "Leave it out for a cookie that the browser keeps until it is closed.";
    const expected = `\`cookie.${option}\` expects a number of milliseconds, ${maxLifeMs} at most`;
    throw invalidChoice(expected, life, cure);
  }
  for (const [flag, value] of Object.entries({ httpOnly, partitioned, secure })) {
    if (value === undefined || typeof value === "boolean" || (flag === "secure" && value === "auto"))
      continue;
    throw invalid(`\`cookie.${flag}\` expects true or false`, value, "Leave it out for the default.");
  }
  const header = { path, domain, expires, priority, sameSite: sameSite === "auto" ? "lax" : sameSite };
  try {
    serialize(name, "value", Object.fromEntries(Object.entries(header).filter(([, value]) => value != null)));
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    const message = `\`name\` and \`cookie\` expect what a Set-Cookie header can hold; it was refused with "${why}". Correct what that names.`;
    throw new SocketSessionError("INVALID_OPTION", message, { cause });
  }
}
