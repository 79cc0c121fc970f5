import type { IncomingMessage } from "node:http";
import type { RefusalCode } from "../protocol.ts";
import type { Admission, AdmissionOptions, Refusal } from "./admission.ts";
import type { OpenedConnection } from "./opened-connection.ts";
import { sendRefusal } from "./refusal-packet.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { carriesTicket, withoutTicket } from "./ticket-auth.ts";
import { UnprovenConnection } from "./unproven-connection.ts";
import { type MaxUnproven, UnprovenLimit } from "./unproven-limit.ts";
import type { Auth } from "./upstream.ts";
import { interceptMessages } from "./upstream-traffic.ts";

export interface UnprovenOptions extends AdmissionOptions {
  readonly unprovenMs: number;
  readonly maxUnproven: MaxUnproven;
  readonly onRefusal: (code: RefusalCode, request: IncomingMessage | undefined, cause: unknown) => void;
}

/** How many tickets may be wrong, or not yet redeemed, that a client brings to a connection that has its session. */
const maxTickets = 256;

/** Lets clients prove their session by a ticket, for as long as their handshakes have proven none. */
export class UnprovenClients {
  readonly #options: UnprovenOptions;
  readonly #context: ConnectionContext;
  readonly #admission: Admission;
  readonly #isClosed: () => boolean;
  readonly #limit: UnprovenLimit;
  readonly #ticketsOf = new WeakMap<OpenedConnection, number>();

  constructor(
    options: UnprovenOptions,
    context: ConnectionContext,
    admission: Admission,
    isClosed: () => boolean,
  ) {
    this.#options = options;
    this.#context = context;
    this.#admission = admission;
    this.#isClosed = isClosed;
    this.#limit = new UnprovenLimit(options.maxUnproven, options.trustProxy);
  }

  closeAll(): void {
    this.#limit.closeAll();
  }

  /**
   * Holds a client back until it brings a ticket, or comes without one: it is then refused, or else is a guest. `pass`
   * gives the connection to Socket.IO. Returns whether Socket.IO may have it at once.
   */
  hold(opened: OpenedConnection, refusal: Refusal | undefined, pass: () => void): boolean {
    const { connection } = opened;
    if (connection.protocol === 3 && !refusal) {
      const isGuest = opened.decide("guest"); // it can't send a ticket, and waits for the first packet
      if (!isGuest) connection.close(true); // the session has just ended: the client reconnects, and is checked
      return isGuest;
    }
    const { mayUse = this.#context.isExempt } = refusal ?? {};
    const mayUseExempt = this.#options.exemptions.length > 0 && (connection.protocol !== 3 || mayUse("/"));
    let forget = this.#limit.add(connection);
    connection.once("close", () => forget());
    const unproven = new UnprovenConnection(connection, {
      ...this.#context,
      unprovenMs: this.#options.unprovenMs,
      code: refusal?.code,
      isExempt: mayUseExempt ? mayUse : undefined,
      redeem: this.#redeemsFor(opened, refusal),
      usedExempt: () => forget(),
      leftExempt: () => {
        forget = this.#limit.add(connection);
      },
      admit: (as) => {
        forget();
        stop();
        opened.decide(as);
        if (!mayUseExempt) pass();
      },
      onRefused: (code) => {
        const cause = code === refusal?.code ? refusal.cause : undefined;
        this.#options.onRefusal(code, connection.request ?? undefined, cause);
      },
    });
    const stop = interceptMessages(connection, (message) => unproven.passes(message));
    if (mayUseExempt) opened.bind(new SessionConnection(this.#context, undefined, unproven));
    return mayUseExempt;
  }

  #redeemsFor(opened: OpenedConnection, refusal: Refusal | undefined) {
    const canSend = opened.connection.protocol !== 3; // Socket.IO reads no payload of revision 3
    if (!canSend || !this.#options.tickets.areKept || refusal?.code === "ORIGIN_REFUSED") return undefined;
    return async (ticket: unknown): Promise<boolean> => {
      try {
        const own = await this.#admission.redeem(ticket, opened.proof);
        if (!own) return false;
        if (opened.connection.readyState === "open" && !this.#isClosed()) return opened.bind(own);
        own.release();
        opened.connection.close(true);
      } catch (error) {
        this.#fail(opened, error);
      }
      return false;
    };
  }

  /** The `auth` payload that the application may see. */
  shown(namespace: string, auth: Auth): Auth {
    return carriesTicket(auth) && this.#takesTickets(namespace) ? withoutTicket(auth) : auth;
  }

  /**
   * The `auth` payload that the application may see of a client that asks for a namespace; undefined if the client is
   * refused. A ticket on a connection that has its session must be one of this session.
   */
  enter(
    opened: OpenedConnection | undefined,
    namespace: string,
    auth: Auth,
  ): Auth | Promise<Auth | undefined> {
    if (!carriesTicket(auth) || !this.#takesTickets(namespace)) return auth;
    if (!opened || opened.proof.ticket?.text === auth.ticket) return withoutTicket(auth);
    return this.#check(opened, namespace, auth.ticket).then((isGood) =>
      isGood ? withoutTicket(auth) : undefined,
    );
  }

  async #check(opened: OpenedConnection, namespace: string, ticket: unknown): Promise<boolean> {
    const { connection, own, proof } = opened;
    const { onRefusal, tickets } = this.#options;
    try {
      if (this.#count(opened, 1) > maxTickets) connection.close(true);
      else if (own?.isOf(await tickets.redeem(ticket, proof.origin))) {
        this.#count(opened, -1);
        return true;
      } else {
        onRefusal("TICKET_INVALID", connection.request ?? undefined, undefined);
        sendRefusal(connection, this.#context.codec, namespace, "TICKET_INVALID");
      }
    } catch (error) {
      this.#fail(opened, error);
    }
    return false;
  }

  /** The store has failed. A stock client comes back, with another ticket. */
  #fail({ connection }: OpenedConnection, error: unknown): void {
    if (!this.#isClosed()) this.#context.hub.report(error); // the store may be closed by now
    connection.close(true);
  }

  #count(opened: OpenedConnection, added: 1 | -1): number {
    const count = (this.#ticketsOf.get(opened) ?? 0) + added;
    this.#ticketsOf.set(opened, count);
    return count;
  }

  #takesTickets(namespace: string): boolean {
    return this.#options.tickets.areKept && !this.#context.isExempt(namespace);
  }
}
