/** Records in the trace what a database does to sessions, under names that are the same in every run. */
import type { SessionDocument } from "../../src/session-store.ts";
import type { Trace, Values } from "./trace.ts";
import { epochMs } from "./world/process.ts";

export class Ledger {
  readonly #trace: Trace;
  readonly #namesBySid = new Map<string, string>();
  #sockets = 0;
  #tickets = 0;

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** The session's name in the trace: `s0`, `s1`, … in the order in which they were first named. */
  nameOf(sid: string): string {
    const known = this.#namesBySid.get(sid);
    if (known !== undefined) return known;
    const name = `s${this.#namesBySid.size}`;
    this.#namesBySid.set(sid, name);
    return name;
  }

  /** A name for a socket: `k1`, `k2`, … */
  nextSocket(): string {
    return `k${++this.#sockets}`;
  }

  /** A name for a ticket: `t1`, `t2`, … */
  nextTicket(): string {
    return `t${++this.#tickets}`;
  }

  /** Of all sessions that have a name. */
  get sids(): Iterable<string> {
    return this.#namesBySid.keys();
  }

  stored(sid: string, document: SessionDocument, expiresAt: number): void {
    const session = this.nameOf(sid);
    this.#trace.add({ kind: "stored", session, values: valuesOf(document), expiresAt: expiresAt - epochMs });
  }

  /** `node`: the node that touched, if the database knows. */
  touched(sid: string, expiresAt: number, node?: string): void {
    const by = node === undefined ? {} : { node };
    this.#trace.add({ kind: "touched", session: this.nameOf(sid), ...by, expiresAt: expiresAt - epochMs });
  }

  removed(sid: string): void {
    this.#trace.add({ kind: "removed", session: this.nameOf(sid) });
  }

  /** A failover has set it back to this. */
  forgotten(sid: string, document: SessionDocument | undefined, expiresAt: number): void {
    const values = document ? valuesOf(document) : null;
    this.#trace.add({
      kind: "forgotten",
      session: this.nameOf(sid),
      values,
      expiresAt: expiresAt - epochMs,
    });
  }

  read(node: string, many = 1): void {
    this.#trace.add({ kind: "read", node, many });
  }
}

/** The data that actors keep in a session: `count`, lists under `list-…`, registers under `register-…`. */
export function valuesOf(data: Readonly<Record<string, unknown>>): Values {
  const lists: Record<string, readonly string[]> = {};
  const registers: Record<string, string> = {};
  for (const [key, value] of Object.entries(data)) {
    if (key.startsWith("list-") && Array.isArray(value)) lists[key] = value.map(String);
    if (key.startsWith("register-")) registers[key] = String(value);
  }
  return { count: typeof data.count === "number" ? data.count : 0, lists, registers };
}
