import { randomUUID } from "node:crypto";
import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import type { Snapshot } from "../data/snapshot.ts";
import type { Revision, SessionKey } from "../session-store.ts";
import type { Entries } from "./entries.ts";
import type { Freshness } from "./freshness.ts";
import type { LiveEntry, Moment } from "./live-entry.ts";

export interface OwnWritesOptions {
  readonly clock: Clock;
  readonly entries: Entries;
  readonly freshness: Freshness;
  readonly moment: () => Moment;
  /** A write that began at `began` has just ended: the entry adopts its snapshot. */
  readonly written: (entry: LiveEntry, snapshot: Snapshot, began: Moment) => void;
}

/** How long the feed may take to report a write of unknown outcome. */
const unknownMs = 600_000;
const maxUnknown = 10_000;

/**
 * The writes of this node, each under a token by which the node recognises it on the feed. The answer to a write brings
 * the live session up to date, so the feed's message adds nothing. A write without an answer may have happened: then
 * the message counts.
 */
export class OwnWrites {
  /** The prefix of all tokens of this node. */
  readonly #node = randomUUID();
  readonly #options: OwnWritesOptions;
  readonly #unknown: ExpiringMap<{ readonly expiresAt: number }>;
  #count = 0;

  constructor(options: OwnWritesOptions) {
    this.#options = options;
    this.#unknown = new ExpiringMap(options.clock, { maxEntries: maxUnknown });
  }

  /**
   * Runs `write`, which stores a version on top of the revision `replaced` under the given token; null if it wrote
   * nothing. The caller holds the session's lock. When this resolves, the live session holds that version or a newer one.
   */
  async run(
    key: SessionKey,
    replaced: Revision | undefined,
    write: (token: string) => Promise<Snapshot | null>,
  ): Promise<Snapshot | null> {
    const began = this.#options.moment();
    const token = `${this.#node}.${++this.#count}`;
    const snapshot = await write(token).catch((error: unknown) => {
      this.#mayHaveHappened(key, token);
      throw error;
    });
    const entry = snapshot && this.#options.entries.get(key);
    if (entry) await this.#settle(entry, began, snapshot, replaced);
    return snapshot;
  }

  /**
   * Reads the session if the entry can't order the two versions. It can if it holds the replaced version and the feed
   * would have reported any other in between.
   */
  async #settle(
    entry: LiveEntry,
    began: Moment,
    snapshot: Snapshot,
    replaced: Revision | undefined,
  ): Promise<void> {
    const { freshness, written } = this.#options;
    const follows = entry.snapshot !== undefined && entry.snapshot.revision === replaced;
    if (entry.takes(began.mark) || (follows && freshness.feed.state === "whole"))
      written(entry, snapshot, began);
    else await freshness.changed(entry);
  }

  #mayHaveHappened(key: SessionKey, token: string): void {
    const { clock, entries, freshness } = this.#options;
    this.#unknown.set(token, { expiresAt: clock.now() + unknownMs });
    const entry = entries.get(key);
    if (entry) freshness.unknown(entry);
  }

  /** Whether this node already knows a change that the feed reports. To be called once for each message. */
  knows(write: string | undefined): boolean {
    return write?.startsWith(this.#node) === true && !this.#unknown.delete(write);
  }

  clear(): void {
    this.#unknown.clear();
  }
}
