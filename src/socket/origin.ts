import type { IncomingMessage } from "node:http";
import type { TLSSocket } from "node:tls";

/**
 * Origins allowed in addition to the server's own: as browsers write them, or a function that returns `true` for them.
 */
export type Origins = ReadonlySet<string> | OriginFunction;

export type OriginFunction = (origin: string, request: IncomingMessage) => boolean | Promise<boolean>;

export interface OriginPolicy {
  readonly origins: Origins;
  /** Trust `X-Forwarded-Proto` and `X-Forwarded-Host`, as with Express's `trust proxy`. */
  readonly trustProxy: boolean;
}

/** ASCII without spaces and wildcards: URLs accept all of these in a host. */
const asSent = /^[!-)+-~]+$/;

/**
 * Whether `text` is an origin as browsers write it: `https://app.example`, `capacitor://localhost`, `app://-`. `"null"`
 * and `file://` are refused: pages of any site and any file on a disk have them.
 */
export function isOrigin(text: string): boolean {
  const url = asSent.test(text) ? URL.parse(text) : null;
  if (!url) return false;
  const { protocol, host } = url;
  return host !== "" && protocol !== "file:" && text === `${protocol}//${host}`;
}

/** The server's address, as the client or a proxy names it. */
export interface Address {
  /** The header that contains it, for messages. */
  readonly header: string;
  readonly host: string | undefined;
  readonly isTls: boolean;
}

export function addressOf(request: IncomingMessage, trustProxy: boolean): Address {
  const { headers, httpVersionMajor } = request;
  const forwarded = (name: string) => (trustProxy ? firstOf(headers[name]) : undefined);
  const isTls =
    (request.socket as TLSSocket).encrypted === true ||
    forwarded("x-forwarded-proto")?.toLowerCase() === "https";
  const forwardedHost = forwarded("x-forwarded-host");
  if (forwardedHost) return { header: "X-Forwarded-Host", host: forwardedHost, isTls };
  const authority = httpVersionMajor >= 2 ? firstOf(headers[":authority"]) : undefined;
  if (authority) return { header: ":authority", host: authority, isTls };
  return { header: "Host", host: headers.host, isTls };
}

/** Whether a page of this origin came from the server itself. Only for `http:` and `https:`. */
export function isSameOrigin(origin: string, { host, isTls }: Address): boolean {
  if (!host || !isOrigin(origin)) return false; // "null", a path, user:password@…
  const { protocol } = new URL(origin);
  if (protocol !== "https:" && protocol !== "http:") return false; // not a page of this server
  // behind an untrusted proxy that ends TLS the scheme is unknown; over TLS the page must be https too
  if (isTls && protocol !== "https:") return false;
  return URL.parse(`${protocol}//${host}`)?.origin === origin;
}

function firstOf(header: string | string[] | undefined): string | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  return text?.split(",")[0]?.trim();
}
