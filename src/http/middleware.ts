import type { IncomingMessage, ServerResponse } from "node:http";
import type { Responses } from "./responses.ts";

/** Middleware for Express, and for whatever else calls it with Node's own request and response. */
export type Middleware = (
  request: IncomingMessage,
  response: ServerResponse,
  next: (error?: unknown) => void,
) => void;

/**
 * `express-session`'s middleware for requests of the application. It skips Engine.IO's requests, which the recipe's
 * `io.engine.use(session)` would send through it: each poll would touch the session. `onEngineUse` is called then.
 */
export function forRequests(
  middleware: Middleware,
  responses: Responses,
  onEngineUse: () => void,
): Middleware {
  return (request, response, next) => {
    if ("_query" in request) {
      onEngineUse();
      next();
      return;
    }
    responses.remember(request, response);
    middleware(request, response, next);
  };
}
