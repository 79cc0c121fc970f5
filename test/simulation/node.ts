/**
 * One process of the application, as the actors use it. It records outcomes in the trace. An actor learns no more than
 * a client would know.
 */
import type { Page } from "./clients/pages.ts";
import type { TicketAnswer } from "./held-ticket.ts";
import type { SimulatedProcess } from "./world/process.ts";

export interface SimulatedNode {
  readonly process: SimulatedProcess;
  /** Sessions that are live on it. */
  readonly live: number;
  /** A visitor comes: makes a session and stores it. Its id, once that is acknowledged; undefined if it failed. */
  create(): Promise<string | undefined>;
  /**
   * A client asks to be let in to a session: by its cookie, or by a ticket for it. Into the trace: `asks`, then `admitted` or
   * `refused`, then `closed`.
   */
  connect(sid: string, by?: Showing): SimulatedSocket;
  /** A login of the user with a cap, by an operation with the key `capped`. The id of another session, as for `create`. */
  logIn?(): Promise<string | undefined>;
  /** Asks for a ticket for clients of `page`. Into the trace: `issued`. */
  ticket(sid: string, page: Page): Promise<TicketAnswer>;
  /** Appends the name of the operation to a list of the session (`list-…`), and counts, in one `update`. */
  append(sid: string, list: string): Promise<void>;
  /** A request that sets a register (`register-…`) to the name of the operation, and is saved. */
  save(sid: string, register: string): Promise<void>;
  /** A request that only looks. */
  load(sid: string): Promise<void>;
  /** A logout. */
  end(sid: string): Promise<void>;
  /** A login in a session that there is: it gets a new id, which this resolves to; undefined if it failed. */
  regenerate?(sid: string): Promise<string | undefined>;
  /** Nothing goes wrong any more between it and its clients. */
  heal?(): void;
}

/** A ticket that a client holds. */
export interface HeldTicket {
  /** In the trace. */
  readonly name: string;
  readonly text: string;
  readonly page: Page;
}

/** A ticket as a client shows it, which may have stolen it. */
export interface Showing {
  readonly ticket: HeldTicket;
  readonly page: Page;
  /** Whose cookie the client has as well. Where a node knows no other session, the client has none. */
  readonly cookie: "none" | "own" | "another";
}

/** A client's socket. */
export interface SimulatedSocket {
  /** Asked to be let in and not answered yet; in; or over. */
  readonly state: "asking" | "open" | "closed";
  /** Whether it received a refusal or end at which it stops; otherwise the client tries again. */
  readonly isFinal: boolean;
  /** The client does something, which extends its session. Into the trace: `served`, if its handler runs. */
  say(): void;
  /** The application sends something to it. Into the trace: `served`, if that leaves the node. */
  tell(): void;
  /** The client closes. */
  leave(): void;
}
