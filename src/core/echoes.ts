import type { Revision } from "./session-store.ts";

const mostExpected = 1_000;

/**
 * The writes of this node to one session that the feed has yet to tell, each once. A revision may come twice, as it may
 * name content: so echoes are counted, not remembered.
 */
export class Echoes {
  readonly #expected: Revision[] = [];

  expect(revision: Revision): void {
    this.#expected.push(revision);
    if (this.#expected.length > mostExpected) this.#expected.shift();
  }

  /** Whether this is an echo; it is expected no more. */
  take(revision: Revision): boolean {
    const index = this.#expected.indexOf(revision);
    if (index >= 0) this.#expected.splice(index, 1);
    return index >= 0;
  }

  /** The feed has a gap, in which they may be. */
  clear(): void {
    this.#expected.length = 0;
  }
}
