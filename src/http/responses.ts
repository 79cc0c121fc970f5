import type { IncomingMessage, ServerResponse } from "node:http";

type End = ServerResponse["end"];

/**
 * Which response belongs to a request, when it has gone out, and whether it is ending right now. `express-session`
 * saves by itself from within `res.end`: that is how such a save is told from one that the application asked for.
 */
export class Responses {
  readonly #responses = new WeakMap<object, ServerResponse>();
  readonly #watched = new WeakSet<ServerResponse>();
  readonly #ending = new WeakSet<object>();

  remember(request: IncomingMessage, response: ServerResponse): void {
    this.#responses.set(request, response);
  }

  /** Also finds the response of a middleware made elsewhere, by Express's `req.res`. */
  of(request: object): ServerResponse | undefined {
    const known = this.#responses.get(request);
    if (known) return known;
    const { res } = request as { res?: ServerResponse };
    return typeof res?.end === "function" ? res : undefined;
  }

  /** Call it once `express-session` has put its own `end` on the response. */
  watch(request: object): void {
    const response = this.of(request);
    if (!response || this.#watched.has(response)) return;
    this.#watched.add(response);
    const end = response.end;
    const watched = (...args: Parameters<End>): ServerResponse => {
      this.#ending.add(request);
      try {
        return end.apply(response, args);
      } finally {
        this.#ending.delete(request);
      }
    };
    response.end = watched as End;
  }

  /** True within `res.end`; where the response of an HTTP request is unknown nobody can tell, and it counts as ending. */
  isEnding(request: object): boolean {
    return this.#ending.has(request) || ("headers" in request && this.of(request) === undefined);
  }

  /** Resolves once the response has been handed to the network, or its connection is gone. */
  settled(request: object): Promise<void> | undefined {
    const response = this.of(request);
    if (!response) return undefined;
    return new Promise((resolve) => {
      if (response.writableFinished || response.destroyed) return resolve();
      response.once("finish", () => resolve());
      response.once("close", () => resolve());
    });
  }
}
