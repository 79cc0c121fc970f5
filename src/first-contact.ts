/** The session of a visitor whose first contact with the server is a socket's handshake: `guests: "create"`. */
import type { IncomingMessage } from "node:http";
import { Store } from "express-session";
import { SocketSessionError } from "./base/errors.ts";
import { shown } from "./base/shown.ts";
import { cookieOf } from "./data/snapshot.ts";
import { signedCookie } from "./http/signed-cookie.ts";
import type { ResolvedOptions } from "./options/options.ts";
import type { NewSession } from "./socket/new-guest.ts";
import { isCookieWithheld } from "./warnings/insecure-cookie.ts";

/** A store as `express-session` leaves it: with a function that generates a session on a request. */
type Generating = Store & { generate?: (request: object) => void };

/**
 * Returns a function that makes the session, and its cookie, that `express-session` would make for such a request: with
 * the application's `genid` and `cookie`, which may throw. A cookie whose path does not cover the request is not sent.
 * `makeMiddleware`: makes an `express-session` over a store. `onWithheld`: the cookie is not sent, as it is `secure` and
 * the request is not.
 */
export function firstContacts(
  { shared, name, secrets }: ResolvedOptions,
  makeMiddleware: (store: Store) => unknown,
  onWithheld: () => void,
): (request: IncomingMessage) => NewSession {
  const store: Generating = Reflect.construct(Store, []); // abstract only in its types
  makeMiddleware(store);
  return (request) => {
    // The actual request keeps the properties that its socket shows.
    const own: IncomingMessage = Object.create(request, { session: unset, sessionID: unset });
    store.generate?.(own);
    const { sessionID: sid, session } = own as {
      sessionID?: unknown;
      session?: { cookie: object };
    };
    if (typeof sid !== "string" || sid === "" || !session) throw noId(sid);
    const isNewId = shared.genid === undefined;
    const made = { sid, isNewId, cookie: cookieOf(session) };
    const isWithheld = isCookieWithheld(session, shared.proxy);
    if (isWithheld) onWithheld();
    if (isWithheld || !covers(made.cookie.path, request)) return made;
    return { ...made, setCookie: signedCookie(name, secrets, sid, session.cookie) };
  };
}

/**
 * Whether browsers send a cookie of this path with the request (RFC 6265, section 5.1.4). If not, each handshake would
 * overwrite the cookie that the path's own requests have.
 */
function covers(path: unknown, { url = "" }: IncomingMessage): boolean {
  const [asked = ""] = url.split("?");
  return typeof path !== "string" || `${asked}/`.startsWith(path.endsWith("/") ? path : `${path}/`);
}

const unset: PropertyDescriptor = { value: undefined, writable: true };

function noId(sid: unknown): SocketSessionError {
  const message = `\`genid\` returned ${shown(sid)} for a handshake; expected the id of a new session, a string that is not empty.`;
  return new SocketSessionError("INVALID_OPTION", message);
}
