/** Whether a request came by https, as `express-session` decides it. */
import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

/** `proxy`: the option of `express-session`. Without it, Express's `trust proxy` counts. */
export function isSecure(request: IncomingMessage, proxy: boolean | undefined): boolean {
  if ((request.socket as TLSSocket).encrypted) return true;
  if (proxy === undefined) return Reflect.get(request, "secure") === true;
  const [first = ""] = String(request.headers["x-forwarded-proto"] ?? "").split(",");
  return proxy && first.trim().toLowerCase() === "https";
}
