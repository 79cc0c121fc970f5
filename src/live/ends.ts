import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import type { EndReason, SessionKey } from "../session-store.ts";

const rememberedMs = 600_000;
const maxRemembered = 100_000;

/** A session that was made and is not stored yet. Its session object holds the birth. */
export interface Birth {
  /** The mark of when it was made. */
  readonly mark: number;
  /** Set when its id ends, however long the request takes to store the session. */
  isOver: boolean;
}

/** A session that has never been stored. */
export interface Unstored {
  readonly since: Birth;
  /** False if another session may have the id, as `genid` may return one twice. */
  readonly isNewId: boolean;
}

/**
 * The ids that recently ended in this process, stored or not: a save that is still under way must not store them.
 * `genid` may return an id again after its end; marks distinguish the two sessions.
 */
export class Ends {
  readonly #clock: Clock;
  readonly #mark: () => number;
  readonly #orders: ExpiringMap<{
    readonly order: number;
    readonly isReplaced: boolean;
    readonly expiresAt: number;
  }>;
  /** By id. Weak: most new sessions are never stored, and are collected with their request. */
  readonly #births = new Map<string, WeakRef<Birth>>();
  readonly #collected = new FinalizationRegistry<string>((sid) => {
    if (!this.#births.get(sid)?.deref()) this.#births.delete(sid);
  });

  /** `mark`: the hub's next mark in the order of events. */
  constructor(clock: Clock, mark: () => number) {
    this.#clock = clock;
    this.#mark = mark;
    this.#orders = new ExpiringMap(clock, { maxEntries: maxRemembered });
  }

  get size(): number {
    return this.#orders.heldSize;
  }

  /** A session with this id was made just now; it is not stored yet. */
  birth(sid: string): Birth {
    const birth = { mark: this.#mark(), isOver: false };
    this.#births.set(sid, new WeakRef(birth));
    this.#collected.register(birth, sid);
    return birth;
  }

  add({ sid }: SessionKey, reason: EndReason): void {
    const expiresAt = this.#clock.now() + rememberedMs;
    this.#orders.set(sid, { order: this.#mark(), isReplaced: reason === "replaced", expiresAt });
    const birth = this.#births.get(sid)?.deref();
    if (birth) birth.isOver = true;
  }

  /** Whether the session has ended here, after its birth or after the mark `since`. */
  has({ sid }: SessionKey, since: Birth | number = 0): boolean {
    if (typeof since === "object" && since.isOver) return true;
    const mark = typeof since === "object" ? since.mark : since;
    return (this.#orders.get(sid)?.order ?? 0) > mark;
  }

  /** Whether the session has recently got a new id. */
  wasReplaced({ sid }: SessionKey): boolean {
    return this.#orders.get(sid)?.isReplaced ?? false;
  }

  clear(): void {
    this.#orders.clear();
  }
}
