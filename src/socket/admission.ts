import type { IncomingMessage } from "node:http";
import { isUnreadable } from "../base/errors.ts";
import type { Secret } from "../data/session-key.ts";
import type { RefusalCode } from "../protocol.ts";
import type { Tickets } from "../session/tickets.ts";
import type { Exemption } from "./exempt.ts";
import { type NewGuestOptions, newGuest } from "./new-guest.ts";
import type { OriginPolicy } from "./origin.ts";
import { OriginCheck } from "./origin-check.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { cookieValue, type SessionCookie, verifiedCookie } from "./session-cookie.ts";
import { type EngineRequest, queryOf } from "./upstream.ts";

export interface AdmissionOptions extends OriginPolicy, NewGuestOptions {
  readonly cookieName: string;
  readonly secrets: readonly Secret[];
  readonly guests: "refuse" | "allow" | "create";
  readonly exemptions: readonly Exemption[];
  readonly tickets: Tickets;
}

/** Why a client is not admitted. `cause`: why the session can't be read. */
export interface Refusal {
  readonly code: RefusalCode;
  readonly cause?: unknown;
  /** The exempt namespaces that are open to a page of another origin. If absent, all of them. */
  readonly mayUse?: (namespace: string) => boolean;
}

/**
 * What a connection has proven at its handshake, and by a ticket: a later request may carry no signed cookie of another
 * session, nor leave out the handshake's.
 */
export interface Proof {
  /** The session id, empty if there is none; undefined if the cookie is ignored. */
  readonly identity: string | undefined;
  /** The cookie's value, which need not be verified again. */
  readonly cookie: string | undefined;
  /** The id that a handshake has made for this guest: a client with a jar sends its cookie from then on. */
  readonly made?: string;
  /** The ticket that proved the session, and the session's id. */
  ticket?: { readonly text: unknown; readonly sid: string };
  /** The last admitted origin of the page, which need not be checked again. */
  origin: string | undefined;
}

interface Accepted {
  readonly proof: Proof;
  /** The client's session, should it bring no ticket; to be bound or released. */
  readonly guest?: SessionConnection;
  /** A line of the answer, for a session that was made just now. */
  readonly setCookie?: string | undefined;
}

/**
 * - `admitted`: with a session, or as a guest.
 * - `unproven`: Engine.IO accepts the client. It may bring a ticket; else it is refused, and should stop, or is a guest.
 * - `rejected`: Engine.IO does not accept it: a stock client tries again.
 */
export type Decision =
  | ({ readonly kind: "admitted"; readonly connection: SessionConnection } & Accepted)
  | ({ readonly kind: "unproven"; readonly refusal: Refusal } & Accepted)
  | ({ readonly kind: "unproven"; readonly refusal?: never; readonly guest: SessionConnection } & Accepted)
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
   * an origin other than the connection's, or if a guest comes with another session's cookie. `isUnstored`: the connection
   * is of a guest who has written nothing.
   */
  compare(
    request: IncomingMessage,
    proof: Proof | undefined,
    isUnstored = false,
  ): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    const { origin } = request.headers;
    const faultOf = (isAllowed: boolean) => {
      if (!isAllowed) return "ORIGIN_REFUSED";
      if (proof && origin !== undefined) proof.origin = origin;
      return this.#mismatch(request, proof, isUnstored);
    };
    if (origin !== undefined && origin === proof?.origin) return faultOf(true);
    if (origin !== undefined && proof?.origin !== undefined && isBoundToOrigin(proof))
      return "ORIGIN_REFUSED";
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
    return { kind: "unproven", proof, refusal: { code, mayUse } };
  }

  async #decideOnCookie(request: IncomingMessage): Promise<Decision> {
    const { guests, secrets } = this.#options;
    const value = this.#cookieOf(request);
    const cookie = verifiedCookie(value, secrets);
    const proof: Proof = { identity: identityOf(cookie), cookie: value, origin: request.headers.origin };
    const refused = (code: RefusalCode, cause?: unknown): Decision => ({
      kind: "unproven",
      proof,
      refusal: { code, cause },
    });
    if (cookie.kind === "invalid") return refused("SESSION_INVALID");
    if (cookie.kind === "signed") {
      try {
        const connection = await this.#load(cookie.sid);
        if (connection?.isUnstored)
          return this.#asGuest(connection, { ...proof, identity: "", made: cookie.sid });
        if (connection) return { kind: "admitted", connection, proof };
      } catch (cause) {
        if (isUnreadable(cause)) return refused("SESSION_ENDED", cause); // a retry does not help
        return { kind: "rejected", code: "STORE_UNAVAILABLE", cause };
      }
    }
    if (guests === "refuse") return refused(cookie.kind === "none" ? "SESSION_REQUIRED" : "SESSION_ENDED");
    if (guests === "allow") return this.#asGuest(new SessionConnection(this.#context), proof);
    const { sid, guest, setCookie } = newGuest(request, proof.identity, this.#options, this.#context);
    return this.#asGuest(guest, { ...proof, identity: "", made: sid }, setCookie);
  }

  /** Where tickets are kept, the client may bring one, and have the ticket's session. */
  #asGuest(guest: SessionConnection, proof: Proof, setCookie?: string): Decision {
    if (this.#options.tickets.areKept) return { kind: "unproven", guest, proof, setCookie };
    return { kind: "admitted", connection: guest, proof, setCookie };
  }

  /**
   * The session that a ticket names; undefined if the ticket is not good for this client. The connection must be claimed
   * or released. Rejects if the store fails.
   */
  async redeem(ticket: unknown, proof: Proof): Promise<SessionConnection | undefined> {
    const sid = await this.#options.tickets.redeem(ticket, proof.origin);
    if (sid === undefined || (proof.identity && proof.identity !== sid)) return undefined;
    try {
      const connection = await this.#load(sid);
      if (connection) proof.ticket = { text: ticket, sid };
      return connection;
    } catch (cause) {
      if (isUnreadable(cause)) return undefined;
      throw cause;
    }
  }

  /** Undefined if the session is over. */
  async #load(sid: string): Promise<SessionConnection | undefined> {
    const connection = new SessionConnection(this.#context, this.#options.nameOf(sid));
    try {
      if (await connection.load()) return connection;
    } catch (cause) {
      connection.release();
      throw cause;
    }
    connection.release();
    return undefined;
  }

  #mismatch(
    request: IncomingMessage,
    proof: Proof | undefined,
    isUnstored: boolean,
  ): RefusalCode | undefined | Promise<RefusalCode | undefined> {
    if (proof?.identity === undefined) return undefined;
    const value = this.#cookieOf(request);
    if (value === proof.cookie) return undefined;
    const cookie = verifiedCookie(value, this.#options.secrets);
    const identity = identityOf(cookie);
    if (identity === proof.identity || identity === proof.made || identity === proof.ticket?.sid)
      return undefined;
    const mayDiffer = isUnstored || (proof.made !== undefined && proof.ticket !== undefined);
    if (mayDiffer && cookie.kind === "signed") return this.#faultOfOther(cookie.sid, isUnstored);
    return cookie.kind === "none" ? "COOKIE_MISSING" : "COOKIE_MISMATCH";
  }

  /**
   * A client to whose handshake a cookie was given comes with another: another tab's, or a login's. If a handshake with it
   * would be given its session, the client must come back for that; but with a ticket's session not for another guest's.
   * If not, the client goes on: refused, it would come back for yet another id, whose cookie would get the other tab
   * refused, and so on for ever.
   */
  async #faultOfOther(sid: string, isGuest: boolean): Promise<RefusalCode | undefined> {
    try {
      const other = await this.#load(sid);
      const isStored = other?.isUnstored === false;
      other?.release();
      return other && (isStored || isGuest) ? "COOKIE_MISMATCH" : undefined;
    } catch (error) {
      this.#context.hub.report(error);
      return undefined;
    }
  }

  #cookieOf(request: IncomingMessage): string | undefined {
    return cookieValue(request.headers.cookie, this.#options.cookieName);
  }
}

function identityOf(cookie: SessionCookie): string {
  return cookie.kind === "signed" ? cookie.sid : "";
}

/** Without the session's cookie, nothing but its origin tells one page of the visitor from another. */
function isBoundToOrigin({ identity, ticket }: Proof): boolean {
  return identity === "" || ticket !== undefined;
}
