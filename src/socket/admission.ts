import type { IncomingMessage } from "node:http";
import type { Secret } from "../core/session-names.ts";
import type { SessionKey } from "../core/session-store.ts";
import { isUnreadable } from "../errors.ts";
import type { RefusalCode } from "../protocol.ts";
import { isOriginAllowed, type OriginPolicy } from "./origin.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { readSessionCookie } from "./session-cookie.ts";
import { type EngineRequest, queryOf } from "./upstream.ts";

export interface AdmissionOptions extends OriginPolicy {
  readonly cookieName: string;
  readonly secrets: readonly Secret[];
  readonly guests: "refuse" | "allow";
  readonly nameOf: (sid: string) => SessionKey;
}

/**
 * - `admitted`: with a session, or as a guest.
 * - `refused`: the client shall stop: Engine.IO accepts it, and it is told the code. `cause`: why the session can't be read.
 * - `rejected`: Engine.IO refuses it: a stock client tries again.
 */
export type Decision =
  | { readonly kind: "admitted"; readonly connection: SessionConnection }
  | { readonly kind: "refused"; readonly code: RefusalCode; readonly cause?: unknown }
  | { readonly kind: "rejected"; readonly code: RefusalCode; readonly cause?: unknown };

/** Who gets in, and whose a request is. Nobody gets in on an error. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #context: ConnectionContext;

  constructor(options: AdmissionOptions, context: ConnectionContext) {
    this.#options = options;
    this.#context = context;
  }

  /** What is wrong with any request of Engine.IO's, handshake or not. */
  check(request: EngineRequest): RefusalCode | undefined {
    const query = queryOf(request);
    if (!query) return "BAD_REQUEST";
    if (query.j !== undefined) return "JSONP_REFUSED";
    return isOriginAllowed(request, this.#options) ? undefined : "ORIGIN_REFUSED";
  }

  /** The session id that a request proves to have, empty if none: every request of a connection must prove the same. */
  identityOf(request: IncomingMessage): string {
    const cookie = this.#cookieOf(request);
    return cookie.kind === "signed" ? cookie.sid : "";
  }

  /** Decides on a handshake; reads the store once. An admitted connection must be claimed or released. */
  async decide(request: IncomingMessage): Promise<Decision> {
    const { guests, nameOf } = this.#options;
    const cookie = this.#cookieOf(request);
    if (cookie.kind === "invalid") return { kind: "refused", code: "SESSION_INVALID" };
    if (cookie.kind === "signed") {
      const connection = new SessionConnection(this.#context, nameOf(cookie.sid));
      try {
        if (await connection.load()) return { kind: "admitted", connection };
      } catch (cause) {
        connection.release();
        if (isUnreadable(cause)) return { kind: "refused", code: "SESSION_ENDED", cause }; // trying again does not help
        return { kind: "rejected", code: "STORE_UNAVAILABLE", cause };
      }
      connection.release();
    }
    if (guests === "allow")
      return { kind: "admitted", connection: new SessionConnection(this.#context, undefined) };
    return { kind: "refused", code: cookie.kind === "none" ? "SESSION_REQUIRED" : "SESSION_ENDED" };
  }

  #cookieOf(request: IncomingMessage): ReturnType<typeof readSessionCookie> {
    return readSessionCookie(request.headers.cookie, this.#options.cookieName, this.#options.secrets);
  }
}
