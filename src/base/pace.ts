/**
 * Runs steps a few at a time: thousands at once would block the event loop, or reach a server as one burst. The first few
 * run at once.
 *
 * ```ts
 * const pace = new Pace(10, setImmediate); // 10 in each turn of the event loop
 * for (const connection of many) pace.run(() => connection.close());
 * ```
 */
export class Pace {
  readonly #atOnce: number;
  readonly #pause: (then: () => void) => void;
  #waiting: (() => void)[] = [];
  #left: number;
  #isPausing = false;

  /** `pause` calls `then` once, later: the next `atOnce` steps run then. */
  constructor(atOnce: number, pause: (then: () => void) => void) {
    this.#atOnce = atOnce;
    this.#left = atOnce;
    this.#pause = pause;
  }

  /** Runs `step`, which must not throw, in its turn: at once if fewer than `atOnce` ran since the last pause. */
  run(step: () => void): void {
    if (this.#left === 0) {
      this.#waiting.push(step);
      return;
    }
    this.#left--;
    this.#startPause();
    step();
  }

  #startPause(): void {
    if (this.#isPausing) return;
    this.#isPausing = true;
    this.#pause(() => {
      this.#isPausing = false;
      this.#left = this.#atOnce;
      for (const step of this.#waiting.splice(0, this.#atOnce)) this.run(step);
    });
  }
}
