/** Time and timers, injected so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since the epoch. */
  now(): number;
  /** From 0 to below 1, for waiting times that nodes must not share; `Math.random` if left out. */
  random?(): number;
  /** Calls `fn` once after `delayMs`, or 2^31-1 if that is less; the returned function cancels. Never keeps the process alive. */
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

/** The longest delay a Node timer takes; a longer one would fire at once. */
export const maxDelayMs = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  after(delayMs, fn) {
    const timer = setTimeout(fn, Math.min(delayMs, maxDelayMs));
    timer.unref();
    return () => clearTimeout(timer);
  },
};

/** From 0 to below 1, by the clock's own source of random numbers if it has one. */
export function randomOf(clock: Clock): number {
  return clock.random?.() ?? Math.random();
}
