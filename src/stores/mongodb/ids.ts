/**
 * Ids of sessions as `_id` of their documents, and back. `_id` is the id itself, as `connect-mongo` writes it, or what
 * the option `transformId` makes of it. Only ids that no UTF-8 text can hold (lone surrogates), and those that could be
 * taken for something else, are escaped before.
 *
 * Where `transformId` comes without its reverse, `originalId`, a session that was read, written or created here is
 * remembered by its `_id` for as long as it may live: enough to name the changes of live ones.
 */
import createDebug from "debug";
import type { Clock } from "../../base/clock.ts";
import { errorText, SocketSessionError } from "../../base/errors.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import { escaped, unescaped } from "../common/ids.ts";
import { clearedForm } from "./ends.ts";

export interface MongodbIdOptions {
  readonly transformId?: ((sid: string) => string) | undefined;
  readonly originalId?: ((transformed: string) => string) | undefined;
}

const debug = createDebug("socket-session:store");

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

  /** Throws `INVALID_OPTION` if `transformId` makes anything but a string of it. */
  stored(sid: string): string {
    const text = escaped(sid, clearedForm);
    const stored: unknown = this.#options.transformId ? this.#options.transformId(text) : text;
    if (typeof stored === "string") return stored;
    throw new SocketSessionError(
      "INVALID_OPTION",
      `Expected mongodbStore's transformId to return a string, but it returned ${stored === null ? "null" : `a value of type ${typeof stored}`}. ` +
        "Let it return one: `_id` is a string in the sessions of connect-mongo, too.",
    );
  }

  /** Undefined if nothing here can tell it: then nobody here has that session. Never throws. */
  sid(stored: unknown): string | undefined {
    if (typeof stored !== "string" || clearedForm.test(stored)) return undefined;
    if (!this.#options.transformId) return unescaped(stored);
    if (this.#options.originalId) return this.#untransformed(stored, this.#options.originalId);
    return this.#seen.get(stored)?.sid;
  }

  /** To be called for each session that is handed out. */
  remember(stored: string, sid: string, expiresAt: number): void {
    if (!this.areReversible) this.#seen.set(stored, { sid, expiresAt: expiresAt + slackMs });
  }

  stop(): void {
    this.#seen.stop();
  }

  /** Others may keep what they like in the collection: what the reverse can't turn back is no session of ours. */
  #untransformed(stored: string, reverse: (transformed: string) => unknown): string | undefined {
    try {
      const text = reverse(stored);
      if (typeof text === "string") return unescaped(text);
      debug("originalId returned no string for an _id of the collection, which is passed over");
    } catch (error) {
      debug("originalId threw a %s for an _id of the collection, which is passed over", errorText(error));
    }
    return undefined;
  }
}
