import type { Clock } from "../clock.ts";
import { ExpiringMap } from "./expiring-map.ts";
import type { SessionKey } from "./session-store.ts";

const rememberedMs = 600_000;
const maxRemembered = 100_000;

/**
 * The ids that ended in this process of late, whether they were stored or not: a save that is still under way must not
 * store them. An id that is given again after its end (by `genid`) is told apart by when that was.
 */
export class Ends {
  readonly #clock: Clock;
  readonly #orders: ExpiringMap<{ readonly order: number; readonly expiresAt: number }>;
  #order = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#orders = new ExpiringMap(clock, { maxEntries: maxRemembered });
  }

  get size(): number {
    return this.#orders.heldSize;
  }

  /** A mark in the order of things in this process. */
  mark(): number {
    return ++this.#order;
  }

  add(key: SessionKey): void {
    this.#orders.set(key.sid, { order: this.mark(), expiresAt: this.#clock.now() + rememberedMs });
  }

  /** Whether the session has ended after the mark `since`. */
  has(key: SessionKey, since: number): boolean {
    return (this.#orders.get(key.sid)?.order ?? 0) > since;
  }

  clear(): void {
    this.#orders.clear();
  }
}
