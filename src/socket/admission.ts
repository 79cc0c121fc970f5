import type { IncomingMessage } from "node:http";
import { isUnreadable } from "../base/errors.ts";
import type { Secret } from "../data/session-key.ts";
import type { RefusalCode } from "../protocol.ts";
import type { SessionKey } from "../session-store.ts";
import type { Exemption } from "./exempt.ts";
import type { OriginPolicy } from "./origin.ts";
import { OriginCheck } from "./origin-check.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { cookieValue, type SessionCookie, verifiedCookie } from "./session-cookie.ts";
import { type EngineRequest, queryOf } from "./upstream.ts";

export interface AdmissionOptions extends OriginPolicy {
  readonly cookieName: string;
  readonly secrets: readonly Secret[];
  readonly guests: "refuse" | "allow";
  readonly nameOf: (sid: string) => SessionKey;
  readonly exemptions: readonly Exemption[];
}

/** Why a client is not admitted. `cause`: why the session can't be read. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly cause?: unknown;
  /** The exempt namespaces that are open to a page of another origin. If absent, all of them. */
  readonly mayUse?: (namespace: string) => boolean;
}

/** The proof that a handshake gave: every later request of its connection must give the same. */
export interface Proof {
  /** The session id, empty if there is none; undefined if the cookie is ignored. */
  readonly identity: string | undefined;
  /** The cookie's value, which need not be verified again. */
  readonly cookie: string | undefined;
  /** The last admitted origin of the page, which need not be checked again. */
  origin: string | undefined;
}

/**
 * - `admitted`: with a session, or as a guest.
 * - `refused`: the client should stop: Engine.IO accepts it, and it receives the code.
 * - `rejected`: Engine.IO does not accept it: a stock client tries again.
 */
export type Decision =
  | { readonly kind: "admitted"; readonly connection: SessionConnection; readonly proof: Proof }
  | ({ readonly kind: "refused"; readonly proof: Proof } & Refusal)
  | ({ readonly kind: "rejected" } & Refusal);

/** Decides who is admitted, and whose session a request has. An error never admits a client. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #context: ConnectionContext;
  readonly #origins: OriginCheck;

  constructor(options: AdmissionOptions, context: ConnectionContext) {
    const { hub } = context;
    this.#options = options;
    this.#context = context;
    this.#origins = new OriginCheck(options, hub.clock, hub.report);
  }

  /** The fault of an Engine.IO request, handshake or not, regardless of its origin. */
  check(request: EngineRequest): RefusalCode | undefined {
    const query = queryOf(request);
    if (!query) return "BAD_REQUEST";
    return query.j === undefined ? undefined : "JSONP_REFUSED";
  }

  /**
   * The fault of a poll or upgrade. Polls must stay in order, so this is a promise only if the application decides on
   * an origin other than the connection's.
   */
  compare(
    request: IncomingMessage,
    proof: Proof | undefined,
  ): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    const { origin } = request.headers;
    const faultOf = (isAllowed: boolean) => {
      if (!isAllowed) return "ORIGIN_REFUSED";
      if (proof && origin !== undefined) proof.origin = origin;
      return this.#mismatch(request, proof);
    };
    if (origin !== undefined && origin === proof?.origin) return this.#mismatch(request, proof);
    const isAllowed = this.#origins.isAllowed(request);
    return typeof isAllowed === "boolean" ? faultOf(isAllowed) : isAllowed.then(faultOf);
  }

  /**
   * Decides on a handshake. Reads the store once, unless it was closed while the origin was checked. An admitted
   * connection must be claimed or released.
   */
  async decide(request: IncomingMessage, isClosed: () => boolean): Promise<Decision> {
    if (!(await this.#origins.isAllowed(request))) return this.#decideOnPage(request);
    return isClosed() ? { kind: "rejected", code: "STORE_UNAVAILABLE" } : this.#decideOnCookie(request);
  }

  /** A page of another origin may use only exempt namespaces that list the origin. */
  async #decideOnPage(request: IncomingMessage): Promise<Decision> {
    const code = "ORIGIN_REFUSED";
    const { exemptions } = this.#options;
    const isListed = await Promise.all(
      exemptions.map(({ origins }) => this.#origins.isListed(origins, request)),
    );
    const open = exemptions.filter((_exemption, index) => isListed[index]);
    if (open.length === 0) return { kind: "rejected", code };
    const mayUse = (namespace: string) => open.some(({ matches }) => matches(namespace));
    const proof = { identity: undefined, cookie: undefined, origin: request.headers.origin };
    return { kind: "refused", code, mayUse, proof };
  }

  async #decideOnCookie(request: IncomingMessage): Promise<Decision> {
    const { guests, nameOf, secrets } = this.#options;
    const value = this.#cookieOf(request);
    const cookie = verifiedCookie(value, secrets);
    const proof: Proof = { identity: identityOf(cookie), cookie: value, origin: request.headers.origin };
    if (cookie.kind === "invalid") return { kind: "refused", code: "SESSION_INVALID", proof };
    if (cookie.kind === "signed") {
      const connection = new SessionConnection(this.#context, nameOf(cookie.sid));
      try {
        if (await connection.load()) return { kind: "admitted", connection, proof };
      } catch (cause) {
        connection.release();
        if (isUnreadable(cause)) return { kind: "refused", code: "SESSION_ENDED", cause, proof }; // a retry does not help
        return { kind: "rejected", code: "STORE_UNAVAILABLE", cause };
      }
      connection.release();
    }
    if (guests === "allow")
      return { kind: "admitted", connection: new SessionConnection(this.#context), proof };
    return { kind: "refused", code: cookie.kind === "none" ? "SESSION_REQUIRED" : "SESSION_ENDED", proof };
  }

  #mismatch(request: IncomingMessage, proof: Proof | undefined): RefusalCode | undefined {
    if (proof?.identity === undefined) return undefined;
    const value = this.#cookieOf(request);
    if (value === proof.cookie) return undefined;
    const cookie = verifiedCookie(value, this.#options.secrets);
    if (identityOf(cookie) === proof.identity) return undefined;
    return cookie.kind === "none" ? "COOKIE_MISSING" : "COOKIE_MISMATCH";
  }

  #cookieOf(request: IncomingMessage): string | undefined {
    return cookieValue(request.headers.cookie, this.#options.cookieName);
  }
}

function identityOf(cookie: SessionCookie): string {
  return cookie.kind === "signed" ? cookie.sid : "";
}
