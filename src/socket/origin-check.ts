import type { IncomingMessage } from "node:http";
import type { Clock } from "../base/clock.ts";
import { listenerError, SocketSessionError } from "../base/errors.ts";
import { withTimeout } from "../base/with-timeout.ts";
import {
  addressOf,
  isOrigin,
  isSameOrigin,
  type OriginFunction,
  type OriginPolicy,
  type Origins,
} from "./origin.ts";

/** How long an `origins` function may take. */
const maxAskedMs = 10_000;

export class OriginCheck {
  readonly #policy: OriginPolicy;
  readonly #clock: Clock;
  readonly #report: (error: SocketSessionError) => void;

  constructor(policy: OriginPolicy, clock: Clock, report: (error: SocketSessionError) => void) {
    this.#policy = policy;
    this.#clock = clock;
    this.#report = report;
  }

  /**
   * Whether a page of this origin may use the visitor's session here (OWASP ASVS 4.4.2); a promise only if an `origins`
   * function is called. Browsers let any page open a WebSocket with the visitor's cookies, whatever CORS says, and name
   * the page in `Origin`. A request without `Origin` comes from a native client, or is a page's GET. For that, the
   * browser's `Sec-Fetch-Site` says whether the page is the server's own: an image on a page of a subdomain is
   * `same-site`.
   */
  isAllowed(request: IncomingMessage): boolean | Promise<boolean> {
    const { origin, "sec-fetch-site": site } = request.headers;
    if (origin === undefined) return site === undefined || site === "same-origin" || site === "none";
    const { origins, trustProxy } = this.#policy;
    return isSameOrigin(origin, addressOf(request, trustProxy)) || this.isListed(origins, request);
  }

  /**
   * Whether `origins` admit the request's page. Never throws or rejects: a function that fails or is late admits none.
   */
  isListed(origins: Origins, request: IncomingMessage): boolean | Promise<boolean> {
    const { origin } = request.headers;
    if (origin === undefined) return false;
    if (typeof origins !== "function") return origins.has(origin);
    return isOrigin(origin) && this.#ask(origins, origin, request);
  }

  async #ask(mayConnect: OriginFunction, origin: string, request: IncomingMessage): Promise<boolean> {
    const late = () =>
      new SocketSessionError(
        "LISTENER_FAILED",
        `The \`origins\` function did not answer within ${maxAskedMs} ms, so the page was refused. Let it return true or false, or a promise of one.`,
      );
    try {
      const answer: unknown = await withTimeout(
        this.#clock,
        maxAskedMs,
        () => mayConnect(origin, request),
        late,
      );
      return answer === true;
    } catch (error) {
      this.#report(listenerError("The `origins` function", error));
      return false;
    }
  }
}
