import { randomUUID } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";

/** How long the feed may take to tell of a write whose outcome is not known. */
const unknownMs = 600_000;
const maxUnknown = 10_000;

/**
 * The tokens of this node's writes, by which it knows them on the feed. A write that is known to have been made is adopted
 * by its answer, and its message is no news; one that got no answer may have been made, and then the message is.
 */
export class OwnWrites {
  /** What all of them begin with. */
  readonly #node = randomUUID();
  readonly #unknown: ExpiringMap<{ readonly expiresAt: number }>;
  readonly #clock: Clock;
  #writes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#unknown = new ExpiringMap(clock, { maxEntries: maxUnknown });
  }

  /** The token of a write that is about to be made. */
  begin(): string {
    return `${this.#node}.${++this.#writes}`;
  }

  /** The write failed, and may have been made all the same. */
  failed(token: string): void {
    this.#unknown.set(token, { expiresAt: this.#clock.now() + unknownMs });
  }

  /** Whether a change that the feed tells is one that this node knows already; asked once for each message. */
  knows(write: string | undefined): boolean {
    return write?.startsWith(this.#node) === true && !this.#unknown.delete(write);
  }

  clear(): void {
    this.#unknown.clear();
  }
}
