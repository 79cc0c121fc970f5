/**
 * Converts session ids to the `_id` of their documents, and back. `_id` is the id itself, as `connect-mongo` writes it, or
 * the result of the option `transformId`. Ids that no UTF-8 text can hold (lone surrogates), or that could be mistaken for
 * something else, are escaped first.
 *
 * If `transformId` has no reverse, `originalId`, the process remembers the `_id` of each session that it read, wrote or
 * created for as long as the session may live. That suffices to name the changes of live sessions.
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

/** Another process may extend a session past its deadline: it is read again before it is forgotten. */
const slackMs = 10 * 60_000;

export class MongodbIds {
  readonly #options: MongodbIdOptions;
  readonly #seen: ExpiringMap<{ readonly sid: string; readonly expiresAt: number }>;

  constructor(options: MongodbIdOptions, clock: Clock) {
    this.#options = options;
    this.#seen = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  /** Whether every `_id` can be converted back to its id. */
  get areReversible(): boolean {
    return this.#options.transformId === undefined || this.#options.originalId !== undefined;
  }

  /** Throws `INVALID_OPTION` if `transformId` returns anything but a string. */
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

  /** Undefined if the id is unknown: this process then does not have the session. Never throws. */
  sid(stored: unknown): string | undefined {
    if (typeof stored !== "string" || clearedForm.test(stored)) return undefined;
    if (!this.#options.transformId) return unescaped(stored);
    if (this.#options.originalId) return this.#untransformed(stored, this.#options.originalId);
    return this.#seen.get(stored)?.sid;
  }

  /** To be called for each session that the store returns. */
  remember(stored: string, sid: string, expiresAt: number): void {
    if (!this.areReversible) this.#seen.set(stored, { sid, expiresAt: expiresAt + slackMs });
  }

  stop(): void {
    this.#seen.stop();
  }

  /** The collection may hold foreign documents: an `_id` that can't be reversed is not a session's. */
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
