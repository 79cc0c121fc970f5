import type { ServerResponse } from "node:http";
import type { EngineRequest } from "./upstream.ts";

/** The headers of an answer as Engine.IO's event `headers` passes them. */
type Headers = Record<string, unknown>;

interface Pending {
  readonly line: string;
  /** Undefined for a WebSocket. */
  readonly response: ServerResponse | undefined;
}

/**
 * Cookies that answers to handshakes set, beside those of the application: of its middlewares, which write to the response,
 * and of its listeners of `initial_headers` and `headers`.
 */
export class HandshakeCookies {
  readonly #pending = new WeakMap<EngineRequest, Pending>();

  set(request: EngineRequest, line: string, response?: ServerResponse): void {
    this.#pending.set(request, { line, response });
  }

  /**
   * To be called with what Engine.IO's event `headers` passed, after the application's listeners. Engine.IO writes
   * `name: value` for a WebSocket: an array would become one line, with commas. So there each further cookie brings its
   * own line.
   */
  addTo(headers: unknown, request: unknown): void {
    const pending = this.#pending.get(request as EngineRequest);
    if (!pending || typeof headers !== "object" || headers === null) return;
    const { line, response } = pending;
    const lines = [...linesOf(response?.getHeader("Set-Cookie")), ...takenFrom(headers as Headers), line];
    Reflect.set(headers, "Set-Cookie", response ? lines : lines.join("\r\nSet-Cookie: "));
  }
}

/** Removes the application's cookies from `headers`, however it wrote the name. */
function takenFrom(headers: Headers): string[] {
  const names = Object.keys(headers).filter((name) => name.toLowerCase() === "set-cookie");
  return names.flatMap((name) => {
    const lines = linesOf(headers[name]);
    Reflect.deleteProperty(headers, name);
    return lines;
  });
}

function linesOf(value: unknown): string[] {
  return value === undefined ? [] : [value].flat().map(String);
}
