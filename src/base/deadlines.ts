import { type Clock, maxDelayMs } from "./clock.ts";

/** A step back of the clock up to this size is ignored. */
const toleratedStepMs = 1_000;

interface Node<T> {
  readonly item: T;
  at: number;
  index: number;
}

/**
 * Any number of items, each due at one time, in a binary heap, with one clock timer for the earliest. `set` and
 * `delete` are O(log n). The timer waits in steps for times beyond the longest Node timer.
 */
export class Deadlines<T> {
  readonly #clock: Clock;
  readonly #onDue: (item: T) => void;
  readonly #heap: Node<T>[] = [];
  readonly #nodes = new Map<T, Node<T>>();
  #armedFor = Number.POSITIVE_INFINITY;
  /** The time at which the timer should fire, if the clock is not set. */
  #expectedAt = Number.NEGATIVE_INFINITY;
  /** The time at which the timer was last armed. */
  #armedAt = Number.NEGATIVE_INFINITY;
  /** The clock was set back: the due times are unknown, so all items are due. */
  #isSetBack = false;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, onDue: (item: T) => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** When `item` is due, if it is scheduled. */
  at(item: T): number | undefined {
    return this.#nodes.get(item)?.at;
  }

  /** Schedules `item`, or moves it, to `at` (milliseconds since the epoch). */
  set(item: T, at: number): void {
    let node = this.#nodes.get(item);
    if (node) {
      node.at = at;
    } else {
      node = { item, at, index: this.#heap.length };
      this.#nodes.set(item, node);
      this.#heap.push(node);
    }
    this.#down(this.#up(node));
    this.#arm();
  }

  delete(item: T): void {
    const node = this.#nodes.get(item);
    if (!node) return;
    this.#nodes.delete(item);
    const last = this.#heap.pop();
    if (last && last !== node) {
      this.#place(last, node.index);
      this.#down(this.#up(last));
    }
    this.#arm();
  }

  clear(): void {
    this.#heap.length = 0;
    this.#nodes.clear();
    this.#arm();
  }

  #arm(): void {
    const next = this.#heap[0]?.at ?? Number.POSITIVE_INFINITY;
    if (next === this.#armedFor) return;
    this.#cancel?.();
    this.#cancel = undefined;
    this.#armedFor = next;
    if (next === Number.POSITIVE_INFINITY) return;
    const now = this.#clock.now();
    if (this.#armedAt - now > toleratedStepMs) this.#isSetBack = true;
    this.#armedAt = now;
    const delay = this.#isSetBack ? 0 : Math.min(Math.max(next - now, 0), maxDelayMs);
    this.#expectedAt = now + delay;
    this.#cancel = this.#clock.after(delay, () => this.#fire());
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#armedFor = Number.POSITIVE_INFINITY;
    const now = this.#clock.now();
    const isSetBack = this.#isSetBack || this.#expectedAt - now > toleratedStepMs;
    this.#isSetBack = false;
    const due: T[] = [];
    for (let head = this.#heap[0]; head && (isSetBack || head.at <= now); head = this.#heap[0]) {
      due.push(head.item);
      this.delete(head.item);
    }
    this.#arm();
    for (const item of due) this.#onDue(item);
  }

  #place(node: Node<T>, index: number): void {
    this.#heap[index] = node;
    node.index = index;
  }

  #up(node: Node<T>): Node<T> {
    while (node.index > 0) {
      const above = this.#heap[(node.index - 1) >> 1];
      if (!above || above.at <= node.at) break;
      const index = above.index;
      this.#place(above, node.index);
      this.#place(node, index);
    }
    return node;
  }

  #down(node: Node<T>): void {
    for (;;) {
      const left = this.#heap[node.index * 2 + 1];
      const right = this.#heap[node.index * 2 + 2];
      const least = right && left && right.at < left.at ? right : left;
      if (!least || least.at >= node.at) return;
      const index = least.index;
      this.#place(least, node.index);
      this.#place(node, index);
    }
  }
}
