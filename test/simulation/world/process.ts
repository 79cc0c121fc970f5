/**
 * A process of the simulated world: it can be paused as by SIGSTOP, and killed. Its clock is its machine's, and may be
 * wrong: skewed, too fast, set forth or back. Timers run by the machine's time, but are not moved by setting the clock.
 */
import type { Clock } from "socket-session";
import type { Event, World } from "./world.ts";

/** 2027-01-15: no time of the real world. */
export const epochMs = 1_800_000_000_000;

export class SimulatedProcess {
  readonly name: string;
  readonly clock: Clock;
  readonly #world: World;
  readonly #missed: Event[] = [];
  readonly #endings = new Set<() => void>();
  #state: "running" | "paused" | "dead" = "running";
  /** By how much its clock is ahead, in milliseconds, and by how much too fast, as a part of one. */
  #aheadMs = 0;
  readonly #drift: number;
  /** How many timers it has started. */
  timers = 0;

  constructor(world: World, name: string, { skewMs = 0, drift = 0 } = {}) {
    this.#world = world;
    this.name = name;
    this.#aheadMs = skewMs;
    this.#drift = drift;
    const random = world.random.fork(`process ${name}`);
    this.clock = {
      now: () => this.now,
      after: (ms, run) => {
        this.timers++;
        return world.after(ms / (1 + drift), run, this);
      },
      random: () => random.next(),
    };
  }

  /** Milliseconds since the epoch, by its clock. */
  get now(): number {
    return Math.floor(epochMs + this.#aheadMs + this.#world.now * (1 + this.#drift));
  }

  get isPaused(): boolean {
    return this.#state === "paused";
  }

  get isDead(): boolean {
    return this.#state === "dead";
  }

  get isRunning(): boolean {
    return this.#state === "running";
  }

  setClock(aheadMs: number): void {
    this.#aheadMs = aheadMs;
  }

  pause(): void {
    if (this.isRunning) this.#state = "paused";
  }

  /** Handles now what arrived during the pause. */
  resume(): void {
    if (!this.isPaused) return;
    this.#state = "running";
    for (const event of this.#missed.splice(0)) this.#world.again(event);
  }

  kill(): void {
    this.#state = "dead";
    this.#missed.length = 0;
    for (const end of this.#endings) end();
    this.#endings.clear();
  }

  /** Calls `end` when the process is killed; returns the undoing. */
  onKill(end: () => void): () => void {
    this.#endings.add(end);
    return () => this.#endings.delete(end);
  }

  /** For the world: an event that it can't take now. */
  keep(event: Event): void {
    this.#missed.push(event);
  }
}
