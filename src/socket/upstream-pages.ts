/** The part of `upstream.ts` about pages of other origins, and the middlewares that let them read answers. */
import type { ServerResponse } from "node:http";
import type { Engine, EngineRequest } from "./upstream.ts";

/** The application's `cors` option, which Engine.IO turns into a middleware. */
export function corsOf(io: object): unknown {
  return Reflect.get(Object(Reflect.get(io, "opts")), "cors");
}

/** Runs the middlewares given to `engine.use`, `cors` included, as Engine.IO does before it verifies a request. */
export function applyMiddlewares(
  engine: Engine,
  request: EngineRequest,
  response: ServerResponse,
  done: () => void,
): void {
  request.res = response; // some middlewares expect it there
  const apply: unknown = Reflect.get(engine, "_applyMiddlewares");
  if (typeof apply === "function") Reflect.apply(apply, engine, [request, response, () => done()]);
  else done();
}
