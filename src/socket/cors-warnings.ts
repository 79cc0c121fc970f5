/**
 * A page of another origin has to be listed twice: in `origins`, to be admitted, and in Socket.IO's `cors`, to read answers to
 * its polls. These are the warnings of pages that only one of them lists.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { StartWarning } from "../start-checks.ts";
import type { Origins } from "./origin.ts";
import { shownOrigin } from "./origin-warnings.ts";

/** What `cors` of Socket.IO names, and none of `allowed` does. */
export function corsWarnings(cors: unknown, allowed: readonly Origins[]): StartWarning[] {
  if (allowed.some((origins) => typeof origins === "function")) return []; // who knows what it answers
  const listed = new Set(allowed.flatMap((origins) => (typeof origins === "function" ? [] : [...origins])));
  const refused = namesOf(cors).filter((name) => !listed.has(name));
  if (refused.length === 0) return [];
  const message = `Socket.IO's \`cors\` lists ${shownList(refused)}, but \`origins\` of liveSessions() does not, so its pages are refused. Add it to \`origins\`. If it is this server's own address, remove it from \`cors\`: the server's own pages need none.`;
  return [{ code: "SOCKET_SESSION_CORS_ORIGINS", message }];
}

/** Whether the browser keeps the answer from the page. Of browsers that don't say that the page is of another origin: no. */
export function isUnread({ headers }: IncomingMessage, answer: Pick<ServerResponse, "getHeader">): boolean {
  const { origin, cookie, "sec-fetch-site": site } = headers;
  if (origin === undefined || (site !== "cross-site" && site !== "same-site")) return false;
  const allowed = answer.getHeader("Access-Control-Allow-Origin");
  if (cookie === undefined && allowed === "*") return false;
  if (allowed !== origin) return true;
  return cookie !== undefined && answer.getHeader("Access-Control-Allow-Credentials") !== "true";
}

/** The origins that the option has as text. Of a function or a pattern nothing can be said, and "*" is none. */
function namesOf(cors: unknown): string[] {
  const origin: unknown = Reflect.get(Object(cors), "origin");
  const given: unknown[] = Array.isArray(origin) ? origin : [origin];
  return given.filter((one): one is string => typeof one === "string" && one !== "*");
}

function shownList(origins: readonly string[]): string {
  const shown = origins.slice(0, 5).map(shownOrigin).join(", ");
  return origins.length > 5 ? `${shown} and ${origins.length - 5} others` : shown;
}
