/**
 * What happened, in the order in which it happened: what the oracles judge by, what a replay prints, and what the hash is
 * of. Sessions, nodes, sockets and operations have names of their own (`s0`, `n2`, `k17`, `o301`): a session's id is
 * random, and would make the hash so.
 */
import { createHash } from "node:crypto";

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

/** What the database did, at the moment at which it did it. Times of sessions are milliseconds of the world. */
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

/** What became of processes and of what lies between them. */
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

/** What a visitor met. A socket has a name from the moment its client asks to be let in. */
type OfSockets =
  | { kind: "asks"; socket: string; node: string; session: string }
  | { kind: "admitted"; socket: string; node: string; session: string }
  /** Not let in: `final` if the client has been told to stop. */
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

export type Operation = "create" | "append" | "save" | "end" | "load" | "regenerate";

/** What was done to a session. */
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
   * if it was told that there is no such session.
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

/** What came of it when a client tried to get in where it has no right to be. */
type OfIntruders = {
  kind: "intruder";
  node: string;
  session: string;
  what: Intrusion;
  isLetIn: boolean;
};

/** How a page fares, as it sees it itself: it asks again and again, by a new socket each time, until it is told to stop. */
type OfClients = { kind: "client"; client: string; session: string; state: "outside" | "inside" | "gone" };

type Unstamped = OfDatabase | OfWorld | OfSockets | OfIntruders | OfClients | OfOperations;

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
