import type { Responses } from "./responses.ts";

/** Not a default import: CommonJS consumers can't read that in declarations without `esModuleInterop`. */
export type RequestHandler = ReturnType<typeof import("express-session")>;

/**
 * `express-session`'s middleware for requests of the application. It skips Engine.IO's requests, which the recipe's
 * `io.engine.use(session)` would send through it: each poll would touch the session. `onEngineUse` is called then.
 */
export function forRequests(
  middleware: RequestHandler,
  responses: Responses,
  onEngineUse: () => void,
): RequestHandler {
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
