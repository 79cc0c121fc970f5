/** `sessions.logout(req, res)`: ends the session everywhere, and clears its cookie in the browser. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { checkPlainOptions, invalid, invalidChoice } from "../base/arguments.ts";
import type { Hub } from "../live/hub.ts";
import type { SessionKey } from "../session-store.ts";
import { type CookieSetting, clearedCookie } from "./cleared-cookie.ts";
import { ownStoreOf, requireRequest, requireUnsent } from "./request-checks.ts";

const directives = [
  ...["cache", "cookies", "storage", "executionContexts"],
  ...["clientHints", "prefetchCache", "prerenderCache", "*"],
] as const;
const standardDirectives = ["cache", "cookies", "storage"] as const;

/** A type of data that a browser clears at the header `Clear-Site-Data`. */
export type SiteData = (typeof directives)[number];

/** Options of `sessions.logout()`. */
export interface LogoutOptions {
  /**
   * Sends `Clear-Site-Data`, by which the browser clears what the site has left in it (OWASP ASVS 14.3.1). `true`:
   * "cache", "cookies" and "storage"; or a list. Default: false.
   */
  clearSiteData?: boolean | readonly SiteData[];
}

interface LogoutContext extends CookieSetting {
  readonly hub: Hub;
  readonly nameOf: (sid: string) => SessionKey;
  /** The session id in the request's cookie. */
  readonly sidOf: (request: IncomingMessage) => string | undefined;
}

const method = "sessions.logout(req, res)";

/** The response is changed only once the session is over: until then the visitor may try again. */
export async function logOut(
  context: LogoutContext,
  request: IncomingMessage,
  response: ServerResponse,
  options: LogoutOptions,
): Promise<boolean> {
  requireRequest(method, request);
  if (typeof response?.appendHeader !== "function")
    throw invalid(`${method} expects a response`, response, "Give it the `res` of the route, after `req`.");
  const siteData = siteDataOf(options);
  requireUnsent(method, response);
  const { hub, nameOf, sidOf } = context;
  // Else express-session has not looked for it, as its store had disconnected, or the request's session is of another kind.
  const isLoaded = ownStoreOf(request, hub) !== undefined;
  const cookie = clearedCookie(context, request, isLoaded ? request.session?.cookie : undefined);
  const own = isLoaded ? request.sessionID : undefined;
  // The cookie's may be another: a guest's that is not stored yet, though sockets have it.
  const sids = new Set([own, sidOf(request)]);
  const end = (sid: string) =>
    hub.actors.run({ by: "request", peer: request }, () => hub.end(nameOf(sid), "destroyed"));
  const ends = [...sids].map((sid) => sid !== undefined && end(sid));
  const existed = (await Promise.all(ends)).includes(true);
  if (isLoaded) Reflect.deleteProperty(request, "session"); // express-session would set its cookie, or store it
  requireUnsent(method, response);
  response.appendHeader("Set-Cookie", cookie);
  if (siteData) response.setHeader("Clear-Site-Data", siteData);
  return existed;
}

/** The value of the header, a list of quoted strings; undefined if it is not asked for. */
function siteDataOf(options: LogoutOptions): string | undefined {
  checkPlainOptions("sessions.logout()", options, ["clearSiteData"]);
  const { clearSiteData = false } = options;
  if (clearSiteData === false) return undefined;
  const list: unknown = clearSiteData === true ? standardDirectives : clearSiteData;
  const known: readonly unknown[] = directives;
  if (Array.isArray(list) && list.length > 0 && list.every((one) => known.includes(one)))
    return list.map((one) => `"${one}"`).join(", ");
  const expected = `\`clearSiteData\` expects true or a list of ${directives.map((one) => `"${one}"`).join(", ")}`;
  throw invalidChoice(
    expected,
    list,
    'Leave it out to send no such header; true sends "cache", "cookies" and "storage".',
  );
}
