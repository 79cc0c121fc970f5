import type { Responses } from "./responses.ts";

/** Not by a default import, which CommonJS consumers can't read in declarations without `esModuleInterop`. */
export type RequestHandler = ReturnType<typeof import("express-session")>;

/**
 * `express-session`'s middleware for requests of the application. Those of Engine.IO pass by, as with
 * `io.engine.use(session)` of the recipe, which would touch the session at every poll; `onEngineUse` is called.
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
