import type { IncomingMessage } from "node:http";
import { isSecure } from "../http/is-secure.ts";

/**
 * Whether `express-session` sends no cookie for a session that was just made: the cookie is `secure`, and the request
 * came over plain HTTP, as far as this process knows.
 */
export function isCookieWithheld(session: object, proxy: boolean | undefined): boolean {
  const { cookie, req } = session as { cookie?: { secure?: unknown }; req?: IncomingMessage };
  return Boolean(cookie?.secure) && req?.socket !== undefined && !isSecure(req, proxy);
}
