import { ExpiringMap } from "../base/expiring-map.ts";
import { lacksStart, lastDeadline } from "../data/absolute-life.ts";
import { valuesOf } from "../data/fields.ts";
import {
  deadlineFrom,
  type LifeOptions,
  lifeMs,
  lifeToleranceMs,
  touchIntervalFor,
} from "../data/life-time.ts";
import type { SessionContent } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { LiveEntry } from "../live/live-entry.ts";
import type { SessionKey } from "../session-store.ts";
import type { UserOf } from "./conditional-writes.ts";
import type { Saves } from "./saves.ts";

export interface ActivityOptions extends LifeOptions {
  readonly touchIntervalMs: number;
  readonly userOf: UserOf;
}

interface Touched {
  readonly deadline: number;
  /** After this time every read returns the written deadline, so it need not be remembered. */
  readonly expiresAt: number;
}

type Used = SessionContent & { readonly expiresAt: number };

const retryMs = 1_000;
const rememberedTouches = 100_000;

/**
 * Extends sessions when their clients are active. A touch is due when it would move the *stored* deadline by at least
 * `touchIntervalMs`. Every read returns that deadline, so nodes need no state of their own, and many sockets and
 * requests make one touch. A session without a start, where sessions have an absolute life time, gets one at its first use:
 * the touch is then a write.
 */
export class Activity {
  readonly #hub: Hub;
  readonly #saves: Saves;
  readonly #options: ActivityOptions;
  /** The deadlines written recently, for concurrent requests that all read the older one. */
  readonly #written: ExpiringMap<Touched>;
  /** When an entry may be touched again: not while a touch is under way, nor right after a failed one. */
  readonly #notBefore = new WeakMap<LiveEntry, number>();
  /** Touches that reached the store, for `stats()`. */
  touches = 0;
  #isClosed = false;

  constructor(hub: Hub, saves: Saves, options: ActivityOptions) {
    this.#hub = hub;
    this.#saves = saves;
    this.#options = options;
    this.#written = new ExpiringMap(hub.clock, { maxEntries: rememberedTouches });
  }

  get remembered(): number {
    return this.#written.heldSize;
  }

  close(): void {
    this.#isClosed = true;
    this.#written.clear();
  }

  /** A client of a live session was active. Never throws: a failure is reported by the `error` event, and retried. */
  onEvent(entry: LiveEntry): void {
    const { snapshot } = entry;
    const now = this.#hub.clock.now();
    if (this.#isClosed || !snapshot || now < (this.#notBefore.get(entry) ?? 0)) return;
    if (!this.#isDue(entry.key, snapshot)) return;
    this.#notBefore.set(entry, Number.POSITIVE_INFINITY);
    this.#touch(entry.key, snapshot).then(
      () => this.#notBefore.delete(entry),
      (error: unknown) => {
        this.#notBefore.set(entry, now + retryMs);
        if (!this.#isClosed) this.#hub.report(error);
      },
    );
  }

  /**
   * A request used its session; `stored` is the version it loaded. Undefined if no touch is due; false if the session
   * has gone since.
   */
  onRequest(key: SessionKey, stored: Used): Promise<boolean> | undefined {
    const latest = this.#hub.entries.get(key)?.snapshot ?? stored; // another request may have changed its life time
    return this.#isDue(key, latest) ? this.#touch(key, latest) : undefined;
  }

  #isDue(key: SessionKey, used: Used): boolean {
    const { cookie, startedAt, expiresAt } = used;
    const { ttlMs, absoluteMs, touchIntervalMs } = this.#options;
    const life = lifeMs(cookie, ttlMs);
    const target = deadlineFrom(this.#hub.clock.now(), used, this.#options);
    const written = this.#written.get(key.sid)?.deadline ?? 0;
    if (lacksStart(startedAt, absoluteMs)) return written === 0;
    const isShortened = written - target > lifeToleranceMs(life);
    const stored = isShortened ? expiresAt : Math.max(expiresAt, written);
    // The last step is short: a session in use does not end before its last deadline.
    const isLast = target === lastDeadline(startedAt, absoluteMs) && touchIntervalMs > 0;
    return target - stored >= (isLast ? lifeToleranceMs(life) : touchIntervalFor(life, touchIntervalMs));
  }

  async #touch(key: SessionKey, used: Used): Promise<boolean> {
    const { absoluteMs, touchIntervalMs } = this.#options;
    const now = this.#hub.clock.now();
    const deadline = deadlineFrom(now, used, this.#options);
    this.#written.set(key.sid, { deadline, expiresAt: now + touchIntervalMs });
    this.touches++;
    try {
      return await (lacksStart(used.startedAt, absoluteMs)
        ? this.#saves.start(key)
        : this.#extend(key, used, deadline));
    } catch (error) {
      this.#written.delete(key.sid);
      throw error;
    }
  }

  async #extend(key: SessionKey, { cookie, fields }: Used, expiresAt: number): Promise<boolean> {
    const began = this.#hub.mark();
    const user = this.#options.userOf(valuesOf(fields));
    const stored = await this.#hub.store.touch(key, expiresAt, cookie, user);
    const entry = this.#hub.entries.get(key);
    if (stored && entry) this.#hub.extended(entry, expiresAt, began);
    if (!stored && entry) await this.#hub.reads.load(entry);
    return stored;
  }
}
