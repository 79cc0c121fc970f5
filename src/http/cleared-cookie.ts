/** The `Set-Cookie` that has a browser remove the session cookie. */
import { serialize } from "cookie";
import type { CookieOptions, SessionOptions } from "express-session";
import { isSecure } from "./is-secure.ts";
import type { Request } from "./request-checks.ts";

export interface CookieSetting {
  readonly name: string;
  /** The options of `express-session`. */
  readonly shared: Pick<SessionOptions, "cookie" | "proxy">;
}

/**
 * A browser removes a cookie by its name, domain and path, and accepts that of a `__Host-` or partitioned cookie only with
 * their attributes. So all are as `express-session` has set them: the session's `own`, or else those of the options.
 */
export function clearedCookie(
  { name, shared: { cookie, proxy } }: CookieSetting,
  request: Request,
  own: CookieOptions | undefined,
): string {
  const given = own ?? (typeof cookie === "function" ? cookie(request) : cookie);
  const { path = "/", httpOnly = true, domain, secure, sameSite, partitioned, priority } = given ?? {};
  const isHttps = isSecure(request, proxy);
  return serialize(name, "", {
    ...{ path, domain, httpOnly, partitioned, priority },
    secure: secure === "auto" ? isHttps : secure,
    sameSite: isAuto(sameSite) ? (isHttps ? "none" : "lax") : sameSite,
    expires: new Date(0),
  });
}

/** Of express-session 1.19; its types don't have it. */
function isAuto(sameSite: unknown): boolean {
  return sameSite === "auto";
}
