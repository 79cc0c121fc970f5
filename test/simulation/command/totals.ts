/** Adds up the results of many seeds, for the line of figures at the end. */
import type { Summary } from "./summary.ts";

export class Totals {
  readonly #startedAt = performance.now();
  readonly #counts = new Map<string, number>();
  seeds = 0;
  failed = 0;
  #ms = 0;
  #steps = 0;

  add({ violations, ms, steps, counts }: Summary): void {
    this.seeds++;
    if (violations.length > 0) this.failed++;
    this.#ms += ms;
    this.#steps += steps;
    for (const [name, count] of Object.entries(counts))
      this.#counts.set(name, (this.#counts.get(name) ?? 0) + count);
  }

  get seconds(): number {
    return (performance.now() - this.#startedAt) / 1_000;
  }

  get line(): string {
    const hours = (this.#ms / 3_600_000).toFixed(1);
    const faults = [...this.#counts].filter(([name]) => name.startsWith("fault: "));
    const met = faults
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, count]) => `${name.slice(7)} ${count}`);
    return (
      `${this.seeds} seeds, ${this.failed} with violations; ${hours} simulated hours in ${this.seconds.toFixed(1)} s, ` +
      `${this.#steps} events; faults: ${met.join(", ") || "none"}`
    );
  }
}
