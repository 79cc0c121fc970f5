import type { IncomingMessage } from "node:http";
import { isUnreadable } from "../base/errors.ts";
import type { Secret } from "../data/session-key.ts";
import type { RefusalCode } from "../protocol.ts";
import type { SessionKey } from "../session-store.ts";
import type { Exemption } from "./exempt.ts";
import type { OriginPolicy } from "./origin.ts";
import { OriginCheck } from "./origin-check.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { readSessionCookie } from "./session-cookie.ts";
import { type EngineRequest, queryOf } from "./upstream.ts";

export interface AdmissionOptions extends OriginPolicy {
  readonly cookieName: string;
  readonly secrets: readonly Secret[];
  readonly guests: "refuse" | "allow";
  readonly nameOf: (sid: string) => SessionKey;
  readonly exemptions: readonly Exemption[];
}

/** Why somebody is not let in. `cause`: why the session can't be read. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly cause?: unknown;
  /** The exempt namespaces that are open to a page of another origin; all of them where it is left out. */
  readonly mayUse?: (namespace: string) => boolean;
}

/** What a handshake has proven: every further request of its connection must prove the same. */
export interface Proof {
  /** The session id, empty if none; undefined where no cookie is looked at. */
  readonly identity: string | undefined;
  /** Of the page: the last that was admitted, and need not be asked for again. */
  origin: string | undefined;
}

/**
 * - `admitted`: with a session, or as a guest.
 * - `refused`: the client shall stop: Engine.IO accepts it, and it is told the code.
 * - `rejected`: Engine.IO refuses it: a stock client tries again.
 */
export type Decision =
  | { readonly kind: "admitted"; readonly connection: SessionConnection }
  | ({ readonly kind: "refused" } & Refusal)
  | ({ readonly kind: "rejected" } & Refusal);

/** Who gets in, and whose a request is. Nobody gets in on an error. */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #context: ConnectionContext;
  readonly #origins: OriginCheck;

  constructor(options: AdmissionOptions, context: ConnectionContext) {
    const { hub } = context;
    this.#options = options;
    this.#context = context;
    this.#origins = new OriginCheck(options, hub.clock, (error) => hub.report(error));
  }

  /** What is wrong with any request of Engine.IO's, handshake or not, whatever its origin. */
  check(request: EngineRequest): RefusalCode | undefined {
    const query = queryOf(request);
    if (!query) return "BAD_REQUEST";
    return query.j === undefined ? undefined : "JSONP_REFUSED";
  }

  proofOf(request: IncomingMessage, decision: Decision): Proof {
    const isForeign = decision.kind === "refused" && decision.mayUse !== undefined;
    const { origin } = request.headers;
    return { identity: isForeign ? undefined : this.#identityOf(request), origin };
  }

  /**
   * What is wrong with a poll or upgrade. Polls are in order, so it is a promise only where the application has to be asked
   * of another origin than the connection's.
   */
  compare(
    request: IncomingMessage,
    proof: Proof | undefined,
  ): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    const { origin } = request.headers;
    const faultOf = (isAllowed: boolean) => {
      if (!isAllowed) return "ORIGIN_REFUSED";
      if (proof && origin !== undefined) proof.origin = origin;
      return this.#mismatch(request, proof?.identity);
    };
    if (origin !== undefined && origin === proof?.origin) return this.#mismatch(request, proof.identity);
    const isAllowed = this.#origins.isAllowed(request);
    return typeof isAllowed === "boolean" ? faultOf(isAllowed) : isAllowed.then(faultOf);
  }

  /**
   * Decides on a handshake; reads the store once, unless that is closed by the time the origin is decided on. An admitted
   * connection must be claimed or released.
   */
  async decide(request: IncomingMessage, isClosed: () => boolean): Promise<Decision> {
    if (!(await this.#origins.isAllowed(request))) return this.#decideOnPage(request);
    return isClosed() ? { kind: "rejected", code: "STORE_UNAVAILABLE" } : this.#decideOnCookie(request);
  }

  /** A page of another origin may only use exempt namespaces that list it. */
  async #decideOnPage(request: IncomingMessage): Promise<Decision> {
    const code = "ORIGIN_REFUSED";
    const { exemptions } = this.#options;
    const isListed = await Promise.all(
      exemptions.map(({ origins }) => this.#origins.isListed(origins, request)),
    );
    const open = exemptions.filter((_exemption, index) => isListed[index]);
    if (open.length === 0) return { kind: "rejected", code };
    return { kind: "refused", code, mayUse: (namespace) => open.some(({ matches }) => matches(namespace)) };
  }

  async #decideOnCookie(request: IncomingMessage): Promise<Decision> {
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

  #mismatch(request: IncomingMessage, identity: string | undefined): RefusalCode | undefined {
    if (identity === undefined || this.#identityOf(request) === identity) return undefined;
    return this.#cookieOf(request).kind === "none" ? "COOKIE_MISSING" : "COOKIE_MISMATCH";
  }

  #identityOf(request: IncomingMessage): string {
    const cookie = this.#cookieOf(request);
    return cookie.kind === "signed" ? cookie.sid : "";
  }

  #cookieOf(request: IncomingMessage): ReturnType<typeof readSessionCookie> {
    return readSessionCookie(request.headers.cookie, this.#options.cookieName, this.#options.secrets);
  }
}
