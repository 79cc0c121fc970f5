import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import type { SessionKey } from "../session-store.ts";

const rememberedMs = 600_000;
const maxRemembered = 100_000;

/** A session that has been made and is not stored yet; held by its session object. */
export interface Birth {
  /** The mark of when it was made. */
  readonly mark: number;
  /** Set by an end of its id, however long a request takes to store it. */
  isOver: boolean;
}

/**
 * The ids that ended in this process of late, whether they were stored or not: a save that is still under way must not
 * store them. An id that is given again after its end (by `genid`) is told apart by when that was.
 */
export class Ends {
  readonly #clock: Clock;
  readonly #mark: () => number;
  readonly #orders: ExpiringMap<{ readonly order: number; readonly expiresAt: number }>;
  /** By id; weak, as most sessions that are made are never stored, and go with their request. */
  readonly #births = new Map<string, WeakRef<Birth>>();
  readonly #collected = new FinalizationRegistry<string>((sid) => {
    if (!this.#births.get(sid)?.deref()) this.#births.delete(sid);
  });

  /** `mark`: the hub's order of events. */
  constructor(clock: Clock, mark: () => number) {
    this.#clock = clock;
    this.#mark = mark;
    this.#orders = new ExpiringMap(clock, { maxEntries: maxRemembered });
  }

  get size(): number {
    return this.#orders.heldSize;
  }

  /** A session of this id is made now, and not stored yet. */
  birth(sid: string): Birth {
    const birth = { mark: this.#mark(), isOver: false };
    this.#births.set(sid, new WeakRef(birth));
    this.#collected.register(birth, sid);
    return birth;
  }

  add({ sid }: SessionKey): void {
    this.#orders.set(sid, { order: this.#mark(), expiresAt: this.#clock.now() + rememberedMs });
    const birth = this.#births.get(sid)?.deref();
    if (birth) birth.isOver = true;
  }

  /** Whether the session has ended here, after its birth, or after the mark `since`. */
  has({ sid }: SessionKey, since: Birth | number = 0): boolean {
    if (typeof since === "object" && since.isOver) return true;
    const mark = typeof since === "object" ? since.mark : since;
    return (this.#orders.get(sid)?.order ?? 0) > mark;
  }

  clear(): void {
    this.#orders.clear();
  }
}
