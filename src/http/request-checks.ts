/** Checks of the request and the response given to a method of `sessions`, which throw `INVALID_OPTION`. */
import { invalid } from "../base/arguments.ts";
import { SocketSessionError } from "../base/errors.ts";
import type { Hub } from "../live/hub.ts";
import { StoreFacade } from "./store-facade.ts";

/**
 * A request that the session middleware has seen. Not a default import: CommonJS consumers can't read that in declarations
 * without `esModuleInterop`.
 */
export type Request = Parameters<ReturnType<typeof import("express-session")>>[0];

/** Whether it is a socket, or `socket.request`. */
function isOfSocket(request: unknown): boolean {
  return "handshake" in Object(request) || "_query" in Object(request);
}

export function requireRequest(method: string, request: unknown): asserts request is Request {
  if (isOfSocket(request))
    throw invalid(`${method} expects a request`, request, "A socket has its session: socket.session.");
  if (typeof request === "object" && request !== null && "headers" in request) return;
  throw invalid(`${method} expects a request`, request, "Give it the `req` of a route.");
}

export function requireSession(method: string, request: unknown): asserts request is Request {
  if (isOfSocket(request)) requireRequest(method, request);
  const { session, sessionID } = Object(request);
  if (typeof session === "object" && session && typeof sessionID === "string") return;
  throw invalid(
    `${method} expects a request with a session`,
    session,
    "Put sessions.express() before the route; and after a logout there is none.",
  );
}

/** The headers of the response are still to be sent: only they can change the visitor's cookie. */
export function requireUnsent(method: string, response: { readonly headersSent: boolean } | undefined): void {
  if (!response?.headersSent) return;
  const message = `${method} expects a response whose headers have not been sent, as they have the cookie; they were. Await it before you answer.`;
  throw new SocketSessionError("INVALID_OPTION", message);
}

/** The store that the request's session is from, if it is over `hub`: an application may have sessions of several kinds. */
export function ownStoreOf({ sessionStore }: Request, hub: Hub): StoreFacade | undefined {
  return sessionStore instanceof StoreFacade && sessionStore.isOver(hub) ? sessionStore : undefined;
}
