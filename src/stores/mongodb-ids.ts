/**
 * Ids of sessions as `_id` of their documents, and back. `_id` is the id itself, as `connect-mongo` writes it, or what
 * the option `transformId` makes of it. Only ids that no UTF-8 text can hold (lone surrogates) are escaped before.
 *
 * Where `transformId` comes without its reverse, `originalId`, a session that was read, written or created here is
 * remembered by its `_id` for as long as it may live: enough to name the changes of live ones.
 */
import type { Clock } from "../clock.ts";
import { ExpiringMap } from "../core/expiring-map.ts";
import { originalId } from "./stored-id.ts";

export interface MongodbIdOptions {
  readonly transformId?: ((sid: string) => string) | undefined;
  readonly originalId?: ((transformed: string) => string) | undefined;
}

const escapeMark = "~utf16~";
/** A session past its time may be extended by another process: it is asked for again before it is forgotten. */
const slackMs = 10 * 60_000;

export class MongodbIds {
  readonly #options: MongodbIdOptions;
  readonly #seen: ExpiringMap<{ readonly sid: string; readonly expiresAt: number }>;

  constructor(options: MongodbIdOptions, clock: Clock) {
    this.#options = options;
    this.#seen = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  /** Whether every `_id` can be turned back into its id. */
  get areReversible(): boolean {
    return this.#options.transformId === undefined || this.#options.originalId !== undefined;
  }

  stored(sid: string): string {
    const isPlain = sid.isWellFormed() && !sid.startsWith(escapeMark);
    const text = isPlain ? sid : escapeMark + Buffer.from(sid, "utf16le").toString("hex");
    return this.#options.transformId?.(text) ?? text;
  }

  /** Undefined if nothing here can tell it: then nobody here has that session. */
  sid(stored: unknown): string | undefined {
    if (typeof stored !== "string") return undefined;
    if (!this.#options.transformId) return originalId(stored);
    if (this.#options.originalId) return originalId(this.#options.originalId(stored));
    return this.#seen.get(stored)?.sid;
  }

  /** To be called for each session that is handed out. */
  remember(stored: string, sid: string, expiresAt: number): void {
    if (!this.areReversible) this.#seen.set(stored, { sid, expiresAt: expiresAt + slackMs });
  }

  stop(): void {
    this.#seen.stop();
  }
}
