/**
 * A world whose time is simulated. It runs one event at a time; everything that an event has made runnable (promises,
 * ticks, immediates) comes to rest before the next one, so that a seed decides on the whole run.
 *
 * ```ts
 * const world = new World(42);
 * world.after(1_000, () => …);
 * await world.run(600_000);
 * world.trace.hash;
 * ```
 */

import { Trace } from "../trace.ts";
import { EventHeap, type Planned } from "./event-heap.ts";
import type { SimulatedProcess } from "./process.ts";
import { Random } from "./random.ts";
import { runtime } from "./runtime.ts";

export interface Event extends Planned {
  readonly run: () => void;
  /** Whose event it is: none of a process that is dead, later if it is paused. */
  readonly owner: SimulatedProcess | undefined;
  isCancelled: boolean;
}

/** More events than this at one moment: something goes on without waiting, and would do so for ever. */
const mostAtOnce = 20_000;

/** Time stands still: events cause events without end. */
export class Livelock extends Error {}

export class World {
  readonly random: Random;
  readonly trace: Trace;
  /** Milliseconds since the beginning. */
  now = 0;
  /** The process whose event runs at the moment, with all that comes to rest after it. */
  current: SimulatedProcess | undefined;
  /** How many events have run. */
  steps = 0;
  readonly #heap = new EventHeap<Event>();
  #order = 0;
  #atOnce = 0;

  constructor(seed: number | string) {
    this.random = new Random(seed);
    this.trace = new Trace(() => this.now);
  }

  /** Returns the cancelling. */
  after(ms: number, run: () => void, owner?: SimulatedProcess): () => void {
    const at = this.now + Math.max(0, ms);
    const event: Event = { at, order: this.#order++, run, owner, isCancelled: false };
    this.#heap.push(event);
    return () => {
      event.isCancelled = true;
    };
  }

  /** Plans what a paused process has missed for now, in its order. */
  again(event: Event): void {
    if (event.isCancelled) return;
    event.at = this.now;
    event.order = this.#order++;
    this.#heap.push(event); // the same one: what happens before it may cancel it still
  }

  /** Runs all events until then, and the time forward. Rejects with a `Livelock`. */
  async run(until: number): Promise<void> {
    for (;;) {
      const event = this.#heap.first;
      if (!event || event.at > until) break;
      this.#heap.pop();
      if (event.isCancelled || event.owner?.isDead) continue;
      if (event.owner?.isPaused) event.owner.keep(event);
      else await this.#step(event);
    }
    this.now = until;
  }

  async #step(event: Event): Promise<void> {
    this.#atOnce = event.at > this.now ? 0 : this.#atOnce + 1;
    if (this.#atOnce > mostAtOnce) throw new Livelock(`Time stands still at ${this.now} ms.`);
    this.now = Math.max(this.now, event.at);
    this.steps++;
    this.current = event.owner;
    event.run();
    await runtime.rest();
    this.current = undefined;
  }
}
