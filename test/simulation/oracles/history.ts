/** The indexes over a run that the oracles share: made in one pass, once for each run. */
import type { EventOf, Operation, TraceEvent } from "../trace.ts";
import { type Bounds, boundsOf } from "./bounds.ts";
import type { RunFacts } from "./oracle.ts";
import { type OfSession, SessionHistory } from "./session-history.ts";
import { Troubles } from "./troubles.ts";

export interface OperationHistory {
  readonly op: string;
  readonly what: Operation;
  readonly node: string;
  readonly session: string;
  readonly key: string | undefined;
  readonly begins: Placed<"begins">;
  /** Undefined while it is under way. */
  outcome: Placed<"done" | "failed"> | undefined;
  /** When its node was killed under it. */
  killedAt: number | undefined;
}

export interface SocketHistory {
  readonly asks: Placed<"asks">;
  answer: Placed<"admitted" | "refused"> | undefined;
  /** Undefined while it is open. */
  closed: Placed<"closed"> | undefined;
  killedAt: number | undefined;
}

export interface TicketHistory {
  readonly issued: Placed<"issued">;
  /** Each time a client had it. */
  readonly shown: Placed<"shown">[];
}

/** An event, and its place in the trace. */
export interface Placed<K extends TraceEvent["kind"]> {
  readonly event: EventOf<K>;
  readonly index: number;
}

export class History {
  readonly bounds: Bounds;
  readonly troubles: Troubles;
  readonly sessions = new Map<string, SessionHistory>();
  readonly operations = new Map<string, OperationHistory>();
  readonly sockets = new Map<string, SocketHistory>();
  readonly tickets = new Map<string, TicketHistory>();
  readonly served: Placed<"served">[] = [];
  /** When the last fault was over; undefined if the run has no such end. */
  calmAt: number | undefined;
  readonly endsAt: number;

  constructor({ events, settings }: RunFacts) {
    this.bounds = boundsOf(settings);
    this.troubles = new Troubles(events, this.bounds);
    this.endsAt = events.at(-1)?.at ?? 0;
    for (const [index, event] of events.entries()) this.#add(event, index);
  }

  session(name: string): SessionHistory {
    const session = this.sessions.get(name) ?? new SessionHistory(name);
    this.sessions.set(name, session);
    return session;
  }

  #add(event: TraceEvent, index: number): void {
    if (isOfSession(event)) this.session(event.session).add(event, index);
    else if (isOfOperation(event)) this.#addOperation(event, index);
    else if (event.kind === "served") this.served.push({ event, index });
    else if (event.kind === "calm") this.calmAt ??= event.at;
    else if (event.kind === "fault" && event.fault === "kill") this.#kill(event);
    else if (event.kind === "issued") this.tickets.set(event.ticket, { issued: { event, index }, shown: [] });
    else if (event.kind === "shown") this.tickets.get(event.ticket)?.shown.push({ event, index });
    else this.#addSocket(event, index);
  }

  #addOperation(event: EventOf<"begins" | "done" | "failed">, index: number): void {
    if (event.kind === "begins") {
      const { op, what, node, session, key } = event;
      const begins = { event, index };
      this.operations.set(op, {
        op,
        what,
        node,
        session,
        key,
        begins,
        outcome: undefined,
        killedAt: undefined,
      });
    } else {
      const operation = this.operations.get(event.op);
      if (operation) operation.outcome = { event, index };
    }
  }

  #addSocket(event: TraceEvent, index: number): void {
    if (event.kind === "asks")
      this.sockets.set(event.socket, {
        asks: { event, index },
        answer: undefined,
        closed: undefined,
        killedAt: undefined,
      });
    if (event.kind !== "admitted" && event.kind !== "refused" && event.kind !== "closed") return;
    const socket = this.sockets.get(event.socket);
    if (!socket) return;
    if (event.kind === "closed") socket.closed = { event, index };
    else socket.answer = { event, index };
  }

  /** Takes along what was under way on the node. */
  #kill({ node, at }: EventOf<"fault">): void {
    const isHit = (name: string) => node === undefined || name === node;
    for (const socket of this.sockets.values())
      if (isHit(socket.asks.event.node) && !socket.closed) socket.killedAt ??= at;
    for (const operation of this.operations.values())
      if (isHit(operation.node) && !operation.outcome) operation.killedAt ??= at;
  }
}

const histories = new WeakMap<RunFacts, History>();

export function historyOf(run: RunFacts): History {
  const known = histories.get(run);
  if (known) return known;
  const history = new History(run);
  histories.set(run, history);
  return history;
}

function isOfSession(event: TraceEvent): event is OfSession {
  return ["stored", "touched", "removed", "forgotten"].includes(event.kind);
}

function isOfOperation(event: TraceEvent): event is EventOf<"begins" | "done" | "failed"> {
  return event.kind === "begins" || event.kind === "done" || event.kind === "failed";
}

/** Whether it may have been made: acknowledged, or not known to have failed. */
export function mayBeMade({ outcome }: OperationHistory): boolean {
  return outcome?.event.kind !== "failed" || outcome.event.isUnknown;
}
