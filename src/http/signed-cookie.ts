import { serialize } from "cookie";
import { sign } from "cookie-signature";
import type { Secret } from "../data/session-key.ts";

/** The line of `Set-Cookie` that `express-session` would send for a session. The first secret signs. `cookie`: the session's own. */
export function signedCookie(
  name: string,
  [secret = ""]: readonly Secret[],
  sid: string,
  cookie: object,
): string {
  return serialize(name, `s:${sign(sid, secret as string)}`, Reflect.get(cookie, "data"));
}
