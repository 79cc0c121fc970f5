/**
 * A page of another origin must be listed twice: in `origins`, to be admitted, and in Socket.IO's `cors`, to read
 * answers to its polls. This warns of pages that only `cors` lists; the browser itself reports the opposite case.
 */

import type { Origins } from "../socket/origin.ts";
import { shownOrigin } from "./origins.ts";
import type { StartWarning } from "./start-checks.ts";

/** The warning for origins that Socket.IO's `cors` names and no list of `allowed` does. */
export function corsWarnings(cors: unknown, allowed: readonly Origins[]): StartWarning[] {
  const lists = allowed.filter((origins) => typeof origins !== "function");
  if (lists.length < allowed.length) return []; // the results of a function are unknown
  const refused = namesOf(cors).filter((name) => !lists.some((origins) => origins.has(name)));
  if (refused.length === 0) return [];
  const message = `Socket.IO's \`cors\` lists ${shownList(refused)}, but \`origins\` of liveSessions() does not, so its pages are refused. Add it to \`origins\`. If it is this server's own address, remove it from \`cors\`: the server's own pages need none.`;
  return [{ code: "SOCKET_SESSION_CORS_ORIGINS", message }];
}

/** The origins that the option names as text. A function or a pattern names none, and "*" is not an origin. */
function namesOf(cors: unknown): string[] {
  const origin: unknown = Reflect.get(Object(cors), "origin");
  const given: unknown[] = Array.isArray(origin) ? origin : [origin];
  return given.filter((one): one is string => typeof one === "string" && one !== "*");
}

function shownList(origins: readonly string[]): string {
  const shown = origins.slice(0, 5).map(shownOrigin).join(", ");
  return origins.length > 5 ? `${shown} and ${origins.length - 5} others` : shown;
}
