import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

/**
 * Whether `express-session` sends no cookie for a session that is being stored: the cookie is `secure`, and the request
 * came over plain HTTP, as far as this process knows.
 */
export function isCookieWithheld(session: object, proxy: boolean | undefined): boolean {
  const { cookie, req } = session as { cookie?: { secure?: unknown }; req?: IncomingMessage };
  return cookie?.secure === true && req?.socket !== undefined && !isSecure(req, proxy);
}

/** As `express-session` decides: without its `proxy` option, by Express's `trust proxy`. */
function isSecure(request: IncomingMessage, proxy: boolean | undefined): boolean {
  if ((request.socket as TLSSocket).encrypted) return true;
  if (proxy === undefined) return Reflect.get(request, "secure") === true;
  const [first = ""] = String(request.headers["x-forwarded-proto"] ?? "").split(",");
  return proxy && first.trim().toLowerCase() === "https";
}
