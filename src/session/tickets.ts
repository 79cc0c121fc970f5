import { createHash, randomBytes } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import type { GuardedStore } from "../live/guarded-store.ts";
import type { SessionKey } from "../session-store.ts";

/** Carries a session to a server that its cookie does not reach. */
export interface Ticket {
  /** 43 characters, for the `auth` of Socket.IO's client: `{ ticket }`. */
  readonly ticket: string;
  /** Until when it can be redeemed, in milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** 256 bits (OWASP ASVS 7.2.3 asks for 128). */
const ticketBytes = 32;
const ticketForm = /^[\w-]{43}$/;

/**
 * Issues tickets, and takes them back: each counts once, before its time is over, and for pages of one origin. The store
 * has only a hash over ticket and origin, so that its readers can't use a ticket, and a page of another origin can't use it up.
 * Like a cookie, a ticket counts only for applications that have one of the issuer's secrets, whatever others share the store.
 */
export class Tickets {
  readonly #store: GuardedStore;
  readonly #nameOf: (sid: string) => SessionKey;
  readonly #clock: Clock;
  readonly #ticketMs: number;

  constructor(store: GuardedStore, nameOf: (sid: string) => SessionKey, clock: Clock, ticketMs: number) {
    this.#store = store;
    this.#nameOf = nameOf;
    this.#clock = clock;
    this.#ticketMs = ticketMs;
  }

  /** Whether the store can keep tickets. */
  get areKept(): boolean {
    return this.#store.keepsTickets;
  }

  /** `origin`: of the page it is for; undefined for a client that sends none. */
  async issue(sid: string, origin: string | undefined): Promise<Ticket> {
    const ticket = randomBytes(ticketBytes).toString("base64url");
    const expiresAt = this.#clock.now() + this.#ticketMs;
    const value = JSON.stringify([sid, ...this.#nameOf(sid).publicIds]);
    await this.#store.putTicket(storedId(ticket, origin), value, expiresAt);
    return { ticket, expiresAt };
  }

  /** Takes the ticket and resolves to its session's id; undefined if it is not, or no longer, good for `origin`. */
  async redeem(ticket: unknown, origin: string | undefined): Promise<string | undefined> {
    if (typeof ticket !== "string" || !ticketForm.test(ticket)) return undefined;
    const value = await this.#store.takeTicket(storedId(ticket, origin));
    if (value === null) return undefined;
    const [sid, ...publicIds]: string[] = JSON.parse(value);
    const isOurs = sid !== undefined && this.#nameOf(sid).publicIds.some((id) => publicIds.includes(id));
    return isOurs ? sid : undefined;
  }
}

function storedId(ticket: string, origin = ""): string {
  return createHash("sha256").update(`${ticket} ${origin}`).digest("base64url");
}
