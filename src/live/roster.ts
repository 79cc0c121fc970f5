import type { Clock } from "../base/clock.ts";
import type { NodeIdentity } from "./notes.ts";

interface Known {
  readonly node: NodeIdentity;
  /** Since when it owes an answer, and has sent nothing. */
  silentSince?: number;
  /** It has closed. Notes of it may still come: they come in any order, and a feed may repeat some. */
  hasLeft?: true;
}

/** Processes that were killed stay until a question finds them silent. Each live one sends a note whenever another starts. */
const maxKnown = 1_000;

/** The other nodes of the application that this one has received notes of. */
export class Roster {
  readonly #clock: Clock;
  /** Those of which the last note is the oldest come first. */
  readonly #knownById = new Map<string, Known>();
  #longestLeaseMs = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The node has sent a note. */
  add(node: NodeIdentity): void {
    if (this.#knownById.get(node.id)?.hasLeft) return;
    this.#longestLeaseMs = Math.max(this.#longestLeaseMs, node.leaseMs);
    this.#set({ node });
  }

  /** Also of those that were forgotten: one whose notes get lost may go on reading the store. */
  get longestLeaseMs(): number {
    return this.#longestLeaseMs;
  }

  /** The node has closed. */
  left(node: NodeIdentity): void {
    this.#set({ node, hasLeft: true });
  }

  /** The node has not answered in time. `node` is what was known when it was asked: each of its notes replaces that. */
  missed(node: NodeIdentity): void {
    const known = this.#knownById.get(node.id);
    if (known?.node === node) known.silentSince ??= this.#clock.now();
  }

  has(id: string): boolean {
    return this.#known(id) !== undefined;
  }

  /** Whether an answer of the node is worth waiting for. */
  isResponsive(id: string): boolean {
    const known = this.#known(id);
    return known !== undefined && known.silentSince === undefined;
  }

  /** Without those that have been silent for longer than their lease: they serve no session that had ended when they were asked. */
  get nodes(): NodeIdentity[] {
    const now = this.#clock.now();
    for (const [id, { node, silentSince = now }] of this.#knownById)
      if (silentSince + node.leaseMs < now) this.#knownById.delete(id);
    return [...this.#knownById.values()].filter(({ hasLeft }) => !hasLeft).map(({ node }) => node);
  }

  #known(id: string): Known | undefined {
    const known = this.#knownById.get(id);
    return known?.hasLeft ? undefined : known;
  }

  #set(known: Known): void {
    this.#knownById.delete(known.node.id);
    this.#knownById.set(known.node.id, known);
    const [oldest] = this.#knownById.keys();
    if (oldest !== undefined && this.#knownById.size > maxKnown) this.#knownById.delete(oldest);
  }
}
