import type { IncomingMessage } from "node:http";
import { shown } from "../base/shown.ts";
import { type Address, addressOf, isOrigin, isSameOrigin, type OriginPolicy } from "../socket/origin.ts";
import type { StartWarning } from "./start-checks.ts";

/** A client can send any number of different origins. */
const maxWarnings = 20;
const maxShownLength = 200;

/** Warns once of each origin whose page was refused, with the host that it was compared with and the cure. */
export class OriginWarnings {
  readonly #policy: OriginPolicy;
  readonly #warned = new Set<string>();

  constructor(policy: OriginPolicy) {
    this.#policy = policy;
  }

  /** None for a request without `Origin`: Socket.IO's clients never send such a request. */
  of(request: IncomingMessage): StartWarning[] {
    const { origin } = request.headers;
    if (origin === undefined) return [];
    const name = shownOrigin(origin);
    if (this.#warned.has(name) || this.#warned.size === maxWarnings) return [];
    this.#warned.add(name);
    const isLast = this.#warned.size === maxWarnings;
    const message = `${messageOf(request, origin, this.#policy)}${isLast ? ' Further origins are not warned of: sessions.on("refuse", …) gets each refusal.' : ""}`;
    return [{ code: "SOCKET_SESSION_ORIGIN", message }];
  }
}

/** A well-formed origin as it is; anything else by its length. */
export function shownOrigin(origin: string | undefined): string {
  return origin !== undefined && isOrigin(origin) && origin.length <= maxShownLength ? origin : shown(origin);
}

/** As `shownOrigin`, for a host. */
export function shownHost(host: string | undefined): string {
  return host !== undefined && /^[\w.:[\]-]+$/.test(host) && host.length <= maxShownLength
    ? host
    : shown(host);
}

function messageOf(request: IncomingMessage, origin: string, policy: OriginPolicy): string {
  if (origin === "null" || origin === "file://")
    return `A page with the origin "${origin}" was refused (ORIGIN_REFUSED). It can't be allowed, as frames and files of any site have it. Serve the page from a server, or by a scheme of the app such as capacitor://localhost.`;
  if (shownOrigin(origin) !== origin)
    return `A request was refused (ORIGIN_REFUSED), as its Origin header is ${shown(origin)}, and no origin. Browsers send none such.`;
  const { host, header, isTls } = addressOf(request, policy.trustProxy);
  const own =
    host === undefined
      ? "unknown without a Host header"
      : `${isTls ? "https://" : ""}${shownHost(host)} by the ${header} header`;
  const isFunction = typeof policy.origins === "function";
  const listed = isFunction ? "one that the `origins` function returned true for" : "in `origins`";
  return `A page of ${origin} was refused (ORIGIN_REFUSED): its origin is neither this server's own, which is ${own}, nor ${listed}. ${cureOf(request, origin, policy)}`;
}

function cureOf(request: IncomingMessage, origin: string, { origins, trustProxy }: OriginPolicy): string {
  const address = addressOf(request, trustProxy);
  const listIt =
    typeof origins === "function"
      ? "let the function return true for it"
      : `add it to the options of liveSessions(): origins: [${JSON.stringify(origin)}]`;
  if (!trustProxy && isSameOrigin(origin, addressOf(request, true)))
    return "X-Forwarded-Host and X-Forwarded-Proto name it as the server's own: if all requests come through a proxy of yours that sets them, write liveSessions({ proxy: true }). Express's `trust proxy` does not reach sockets.";
  if (isSameOrigin(origin, { ...address, isTls: false }))
    return `The page came over http, and its request over TLS: serve the page over https, or ${listIt}.`;
  const site = request.headers["sec-fetch-site"];
  if (site === "same-origin")
    return `The browser takes it for the server's own, so a proxy between them changes the header: ${keepIt(address)}. Or ${listIt}.`;
  const ifYours = `If the page is yours, ${listIt}.`;
  if (site === "cross-site" || site === "same-site") return ifYours;
  return `${ifYours} If it is the server's own page behind a proxy that changes the header, ${keepIt(address)}.`;
}

function keepIt({ header }: Address): string {
  if (header === "X-Forwarded-Host") return "let the proxy send the Host header of the browser in it";
  return "let the proxy keep the Host header of the browser, by `changeOrigin: false` (Vite, webpack), `ProxyPreserveHost On` (Apache) or `proxy_set_header Host $http_host` (nginx)";
}
