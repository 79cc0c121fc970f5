import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

export interface OriginPolicy {
  /** Origins allowed beside the server's own, as browsers write them: `https://app.example`. */
  readonly origins: ReadonlySet<string>;
  /** Believe `X-Forwarded-Proto` and `X-Forwarded-Host`, as with Express's `trust proxy`. */
  readonly trustProxy: boolean;
}

/**
 * Whether a page of this origin may use the visitor's session here (OWASP ASVS 4.4.2). Browsers let any page open a
 * WebSocket with the visitor's cookies, whatever CORS says, and name the page in `Origin`. Without `Origin` it is a
 * native client, or a same-origin GET, unless the browser says `Sec-Fetch-Site: cross-site`.
 */
export function isOriginAllowed(request: IncomingMessage, policy: OriginPolicy): boolean {
  const { origin } = request.headers;
  if (origin === undefined) return request.headers["sec-fetch-site"] !== "cross-site";
  if (policy.origins.has(origin)) return true;
  return isSameOrigin(origin, request, policy.trustProxy);
}

function isSameOrigin(origin: string, request: IncomingMessage, trustProxy: boolean): boolean {
  const forwarded = (name: string) => (trustProxy ? firstOf(request.headers[name]) : undefined);
  const host = forwarded("x-forwarded-host") ?? request.headers.host;
  const isTls =
    (request.socket as TLSSocket).encrypted === true ||
    forwarded("x-forwarded-proto")?.toLowerCase() === "https";
  if (!host || !URL.canParse(origin)) return false;
  const page = new URL(origin);
  if (page.origin !== origin) return false; // "null", a path, user:password@…
  if (page.protocol !== "https:" && page.protocol !== "http:") return false; // no page of this server's
  // behind a proxy that ends TLS and is not trusted, nobody can tell the scheme; over TLS the page must be https too
  if (isTls && page.protocol !== "https:") return false;
  const own = `${page.protocol}//${host}`;
  return URL.canParse(own) && new URL(own).origin === origin;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text?.split(",")[0]?.trim();
}
