/**
 * A socket as client and node both know it: its name in the trace, and its state. Its events in the trace are in order:
 * `asks`, then `admitted` or `refused`, then `closed`.
 */
import { endReasons } from "../../../src/protocol.ts";
import type { Ledger } from "../ledger.ts";
import { valuesOf } from "../ledger.ts";
import type { Showing } from "../node.ts";
import type { Trace } from "../trace.ts";
import type { SimulatedProcess } from "../world/process.ts";

export class SocketRecord {
  readonly name: string;
  readonly namespace: string;
  readonly sid: string;
  readonly #trace: Trace;
  readonly #about: { readonly socket: string; readonly node: string; readonly session: string };
  readonly #auth: Record<string, string> = {};
  #pid: string | undefined;
  #offset: string | undefined;
  #isAdmitted = false;
  #isOver = false;
  #hasLeft = false;
  #isAway = false;
  #mayComeBack = true;

  constructor(
    trace: Trace,
    ledger: Ledger,
    { name: node }: SimulatedProcess,
    sid: string,
    namespace: string,
  ) {
    this.name = ledger.nextSocket();
    this.namespace = namespace;
    this.sid = sid;
    this.#trace = trace;
    this.#about = { socket: this.name, node, session: ledger.nameOf(sid) };
    trace.add({ kind: "asks", ...this.#about });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether its session had not ended when the node closed it, as far as the node knew. */
  get mayComeBack(): boolean {
    return this.#mayComeBack;
  }

  /** What the client sends as it asks for the socket. */
  get auth(): Readonly<Record<string, string>> {
    return { name: this.name, ...this.#auth };
  }

  /** The client asks on a connection, opened for the socket `connection`, that has a ticket; and sends it along if `isSent`. */
  show({ ticket, page, cookie }: Showing, connection: string, isSent: boolean): void {
    if (isSent) this.#auth.ticket = ticket.text;
    this.#trace.add({ kind: "shown", ticket: ticket.name, connection, ...this.#about, page, cookie });
  }

  /** The client asks for the socket `earlier` again; `isCut` if it has but a part of the pid. */
  resume(earlier: SocketRecord, isCut: boolean): void {
    const [pid, offset] = [earlier.#pid, earlier.#offset];
    if (pid === undefined || offset === undefined) return;
    Object.assign(this.#auth, { pid: isCut ? pid.slice(0, 20) : pid, offset });
    this.#trace.add({ kind: "resumes", ...this.#about, of: earlier.name, isCut });
  }

  get isResuming(): boolean {
    return "pid" in this.#auth;
  }

  /** Whether the client could ask for it again. */
  get canBeResumed(): boolean {
    return this.#pid !== undefined && this.#offset !== undefined;
  }

  /** Whether its client has closed or lost the connection. */
  get isAway(): boolean {
    return this.#isAway;
  }

  /** The client has closed or lost the connection. */
  goesAway(): void {
    this.#isAway = true;
  }

  /** The client has received the answer to its `CONNECT`. */
  connected(pid: string | undefined): void {
    this.#pid = pid;
  }

  /** The client has received a packet for the socket `name`; where recovery is on, with its offset. */
  received(name: string, offset: string | undefined): void {
    if (offset !== undefined) this.#offset = offset;
    if (name !== this.name) this.#trace.add({ kind: "resent", ...this.#about, of: name });
  }

  /** The node has recovered it: it was `line` at first. */
  recovered(session: string, line: string): void {
    this.#trace.add({ kind: "recovered", ...this.#about, session, line });
  }

  /** The node lets it in to that session. */
  admitted(session: string): void {
    if (this.#isOver) return; // its client has gone away before, and the node does not know yet
    this.#isAdmitted = true;
    this.#trace.add({ kind: "admitted", ...this.#about, session });
  }

  /** Its client closes it. */
  left(): void {
    this.#hasLeft = true;
  }

  /** The client is refused, or loses the connection before it is admitted. */
  refused(code: string, final: boolean): void {
    if (this.#isAdmitted || this.#isOver) return;
    this.#isOver = true;
    this.#trace.add({ kind: "refused", ...this.#about, code: this.#hasLeft ? "left" : code, final });
  }

  /** The application has done something for it, with these data in view. */
  served(data: object, by: "client" | "application"): void {
    this.#trace.add({ kind: "served", ...this.#about, values: valuesOf({ ...data }), by });
  }

  /** The node has closed it. */
  closed(reason: string): void {
    this.#mayComeBack = reason === "unverified" || !(reason in endReasons);
    if (!this.#isAdmitted || this.#isOver) return;
    this.#isOver = true;
    this.#trace.add({ kind: "closed", ...this.#about, reason: this.#hasLeft ? "left" : reason });
  }
}
