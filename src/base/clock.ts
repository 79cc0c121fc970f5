/** Time and timers, injected so that tests control them. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** From 0 to below 1, for delays that nodes should not share. Default: `Math.random`. */
  random?(): number;
  /** Calls `fn` once after `delayMs`, at most 2^31-1; the returned function cancels. Never keeps the process alive. */
  after(delayMs: number, fn: () => void): () => void;
}

export function isClock(value: unknown): value is Clock {
  return (
    typeof value === "object" &&
    value !== null &&
    typeof Reflect.get(value, "now") === "function" &&
    typeof Reflect.get(value, "after") === "function"
  );
}

/** The longest delay of a Node timer; a longer one would fire at once. */
export const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(delayMs, maxDelayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** Resolves after `delayMs`. Does not keep the process alive. */
export function pause(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => void clock.after(delayMs, resolve));
}

/** From 0 to below 1, from the clock's own source of random numbers if it has one. */
export function randomOf(clock: Clock): number {
  return clock.random?.() ?? Math.random();
}
