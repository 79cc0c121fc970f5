/** A clock whose time is set by hand; its timers are real, unless they are held until `fire()`. */
import { type Clock, systemClock } from "../../src/base/clock.ts";

export class SetClock implements Clock {
  #now = 1_800_000_000_000;

  now(): number {
    return this.#now;
  }

  advance(ms: number): void {
    this.#now += ms;
  }

  after(delayMs: number, fn: () => void): () => void {
    return systemClock.after(delayMs, fn);
  }
}

/** The time of another clock, with timers that stand still: a process that is stopped, until it goes on. */
export class StoppedTimers implements Clock {
  readonly #time: Clock;
  readonly #pending = new Set<() => void>();

  constructor(time: Clock) {
    this.#time = time;
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  now(): number {
    return this.#time.now();
  }

  after(_delayMs: number, fn: () => void): () => void {
    this.#pending.add(fn);
    return () => {
      this.#pending.delete(fn);
    };
  }

  fire(): void {
    const due = [...this.#pending];
    this.#pending.clear();
    for (const fn of due) fn();
  }
}
