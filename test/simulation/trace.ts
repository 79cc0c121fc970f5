/**
 * The events of a run, in their order: the oracles judge by them, a replay prints them, and the hash is computed from
 * them. Sessions, nodes, sockets and operations have names of their own (`s0`, `n2`, `k17`, `o301`): a session's id is
 * random, and would make the hash random.
 */
import { createHash } from "node:crypto";
import type { Page } from "./clients/pages.ts";

/** The data of a session, as the actors of the simulation write them. */
export interface Values {
  /** How many appends were made. */
  readonly count: number;
  /** Lists of the operations that have appended to them. */
  readonly lists: Readonly<Record<string, readonly string[]>>;
  /** The operation that has set each register last. */
  readonly registers: Readonly<Record<string, string>>;
}

export type Fault =
  | "pause"
  | "kill"
  | "clock"
  | "cut"
  | "reset"
  | "deaf"
  | "lost reply"
  | "slow"
  | "failing"
  | "hanging"
  | "restart"
  | "failover";

/** The database's actions, at the moment when they happen. Times of sessions are milliseconds of the world. */
type OfDatabase =
  /** A version of the session is stored, by a create or a replace. */
  | { kind: "stored"; session: string; values: Values; expiresAt: number }
  /** Its life was extended: by which node, where that is known. */
  | { kind: "touched"; session: string; node?: string; expiresAt: number }
  /** It is gone by a destroy. */
  | { kind: "removed"; session: string }
  /** A failover has set the session back to how it was before, or to not being stored. */
  | { kind: "forgotten"; session: string; values: Values | null; expiresAt: number }
  /** A round trip of a node: `many` sessions are read in it. */
  | { kind: "read"; node: string; many: number };

/** Events of processes and of the networks between them. */
type OfWorld =
  | { kind: "start"; node: string; skewMs: number }
  /** Something goes wrong from now on, until the time given: for one node, or for all. */
  | { kind: "fault"; fault: Fault; node?: string; until: number }
  /** No more faults from here on. */
  | { kind: "calm" }
  /** The run ends. `timers`: how many the node has started since it was started, which was at `sinceMs`. */
  | { kind: "cost"; node: string; timers: number; live: number; sinceMs: number }
  | { kind: "livelock"; text: string }
  /** A bug: what nothing has caught, or a node has reported as its own. */
  | { kind: "crash"; node: string; text: string };

/** A visitor's experience. A socket has a name from the moment when its client asks to be admitted. */
type OfSockets =
  | { kind: "asks"; socket: string; node: string; session: string }
  | { kind: "admitted"; socket: string; node: string; session: string }
  /** Not admitted; `final` if the client stops at it. */
  | { kind: "refused"; socket: string; node: string; session: string; code: string; final: boolean }
  /** A handler of the application ran for what the client sent, or a packet left for it: with these data in view. */
  | {
      kind: "served";
      socket: string;
      node: string;
      session: string;
      values: Values;
      /** Who began it. Only what a client does extends its session. */
      by?: "client" | "application";
    }
  /** `reason`: why the session has ended on this node; `left` if the client has closed; `killed`. */
  | { kind: "closed"; socket: string; node: string; session: string; reason: string };

/** Tickets have names of their own: `t3`. */
type OfTickets =
  /** Its client has it. `page`: for clients of this one. */
  | { kind: "issued"; ticket: string; node: string; session: string; page: Page; expiresAt: number }
  /** A client asks for a socket by it. `cookie`: whose cookie the client has beside it. */
  | {
      kind: "shown";
      ticket: string;
      socket: string;
      /** The first socket that the connection was opened for. */
      connection: string;
      node: string;
      session: string;
      page: Page;
      cookie: "none" | "own" | "another";
    };

/** Socket.IO's connection state recovery. */
type OfRecovery =
  /** A client asks for a socket with the pid of an earlier one, `of`, or with a part of it. */
  | { kind: "resumes"; socket: string; node: string; session: string; of: string; isCut: boolean }
  /** The node has recovered a socket: `line` is the one that it was at first. */
  | { kind: "recovered"; socket: string; node: string; session: string; line: string }
  /** A client received, for this socket, a packet that was for another. */
  | { kind: "resent"; socket: string; node: string; session: string; of: string };

export type Operation = "create" | "append" | "save" | "end" | "load" | "regenerate" | "ticket";

/** What a node's application learns of the end of a session. Times are of the world, but for what the node's clock is wrong. */
type OfReceipts = {
  kind: "receipt";
  node: string;
  session: string;
  ended: boolean;
  nodes: readonly string[];
  unanswered: readonly { readonly node: string; readonly certainBy?: number }[];
  others: string;
  certainBy?: number;
};

/** Operations on a session. */
type OfOperations =
  | {
      kind: "begins";
      op: string;
      what: Operation;
      node: string;
      session: string;
      key?: string;
      /** The operation of the same node whose client came back at the head of the answer, as at a redirect. */
      follows?: string;
    }
  /**
   * It is acknowledged. `saw`: what it was given, before its own change (of an append that ran again, the last time); null
   * if the answer was that there is no such session.
   */
  | {
      kind: "done";
      op: string;
      what: Operation;
      node: string;
      session: string;
      key?: string;
      saw: Values | null;
    }
  /** It failed: `isUnknown` if it may have been made all the same. */
  | {
      kind: "failed";
      op: string;
      what: Operation;
      node: string;
      session: string;
      key?: string;
      code: string;
      isUnknown: boolean;
    };

/**
 * - `poll`, `send`, `upgrade`: takes part in the connection of another client, of whose session it has no cookie.
 * - `join`: asks for a namespace with a cookie of no session. `stay`: keeps such a connection without a word.
 */
export type Intrusion = "poll" | "send" | "upgrade" | "join" | "stay";

/** The outcome of an intruder's attempt. */
type OfIntruders = {
  kind: "intruder";
  node: string;
  session: string;
  what: Intrusion;
  /** Whether it has no cookie at all. */
  isBare: boolean;
  isLetIn: boolean;
};

/**
 * A page's own view: it asks again and again, by a new socket each time, until it receives an answer at which it stops.
 */
type OfClients = { kind: "client"; client: string; session: string; state: "outside" | "inside" | "gone" };

type Unstamped =
  | OfDatabase
  | OfWorld
  | OfSockets
  | OfTickets
  | OfRecovery
  | OfIntruders
  | OfClients
  | OfReceipts
  | OfOperations;

/** `at`: milliseconds of the world. */
export type TraceEvent = Unstamped & { readonly at: number };

export type Kind = TraceEvent["kind"];

export type EventOf<K extends Kind> = Extract<TraceEvent, { kind: K }>;

export class Trace {
  readonly events: TraceEvent[] = [];
  readonly #hash = createHash("sha256");
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  add(event: Unstamped): void {
    const stamped: TraceEvent = { at: Math.round(this.#now() * 1_000) / 1_000, ...event };
    this.events.push(stamped);
    this.#hash.update(`${JSON.stringify(stamped)}\n`);
  }

  /** Of everything that has happened up to now. */
  get hash(): string {
    return this.#hash.copy().digest("hex").slice(0, 16);
  }
}

/** One line for people. */
export function lineOf({ at, kind, ...rest }: TraceEvent): string {
  const details = Object.entries(rest).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  return `${String(Math.round(at)).padStart(8)} ${kind} ${details.join(" ")}`;
}
