import { ExpiringMap } from "../base/expiring-map.ts";
import { valuesOf } from "../data/fields.ts";
import { deadlineFrom, lifeMs, lifeToleranceMs, touchIntervalFor } from "../data/life-time.ts";
import type { SessionContent } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { LiveEntry } from "../live/live-entry.ts";
import type { CookieDocument, SessionKey } from "../session-store.ts";
import type { UserOf } from "./conditional-writes.ts";

export interface ActivityOptions {
  readonly touchIntervalMs: number;
  readonly ttlMs: number;
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
 * requests make one touch.
 */
export class Activity {
  readonly #hub: Hub;
  readonly #options: ActivityOptions;
  /** The deadlines written recently, for concurrent requests that all read the older one. */
  readonly #written: ExpiringMap<Touched>;
  /** When an entry may be touched again: not while a touch is under way, nor right after a failed one. */
  readonly #notBefore = new WeakMap<LiveEntry, number>();
  /** Touches that reached the store, for `stats()`. */
  touches = 0;
  #isClosed = false;

  constructor(hub: Hub, options: ActivityOptions) {
    this.#hub = hub;
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
    if (!this.#isDue(entry.key, snapshot.cookie, snapshot.expiresAt)) return;
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
    return this.#isDue(key, latest.cookie, latest.expiresAt) ? this.#touch(key, latest) : undefined;
  }

  #isDue(key: SessionKey, cookie: CookieDocument, expiresAt: number): boolean {
    const life = lifeMs(cookie, this.#options.ttlMs);
    const target = deadlineFrom(this.#hub.clock.now(), cookie, this.#options.ttlMs);
    const written = this.#written.get(key.sid)?.deadline ?? 0;
    const isShortened = written - target > lifeToleranceMs(life);
    const stored = isShortened ? expiresAt : Math.max(expiresAt, written);
    return target - stored >= touchIntervalFor(life, this.#options.touchIntervalMs);
  }

  async #touch(key: SessionKey, { cookie, fields }: Used): Promise<boolean> {
    const now = this.#hub.clock.now();
    const expiresAt = deadlineFrom(now, cookie, this.#options.ttlMs);
    this.#written.set(key.sid, { deadline: expiresAt, expiresAt: now + this.#options.touchIntervalMs });
    this.touches++;
    const began = this.#hub.mark();
    try {
      const stored = await this.#hub.store.touch(
        key,
        expiresAt,
        cookie,
        this.#options.userOf(valuesOf(fields)),
      );
      const entry = this.#hub.entries.get(key);
      if (stored && entry) this.#hub.extended(entry, expiresAt, began);
      if (!stored && entry) await this.#hub.reads.load(entry);
      return stored;
    } catch (error) {
      this.#written.delete(key.sid);
      throw error;
    }
  }
}
