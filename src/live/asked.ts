import type { NodeIdentity } from "./notes.ts";

export interface Answer {
  readonly node: NodeIdentity;
  /** One number for each session of the question. */
  readonly sockets: readonly number[];
  /** When it arrived, in milliseconds since the epoch. */
  readonly at: number;
}

/** A question under way: the answers so far, one of each node, and the nodes that it waits for. */
export class Asked {
  readonly answers: Answer[] = [];
  readonly #awaited: Set<string>;
  readonly #all = Promise.withResolvers<void>();

  constructor(awaited: Iterable<string>) {
    this.#awaited = new Set(awaited);
  }

  /** Resolves when no answer is awaited any more. */
  get all(): Promise<void> {
    return this.#all.promise;
  }

  has(id: string): boolean {
    return this.answers.some(({ node }) => node.id === id);
  }

  take(answer: Answer): void {
    if (!this.has(answer.node.id)) this.answers.push(answer);
    this.giveUp(answer.node.id);
  }

  /** No longer waits for this node. */
  giveUp(id: string): void {
    this.#awaited.delete(id);
    if (this.#awaited.size === 0) this.#all.resolve();
  }
}
