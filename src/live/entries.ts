import { Snapshot } from "../data/snapshot.ts";
import type { ChangedSession, CookieDocument, SessionKey } from "../session-store.ts";
import type { Unstored } from "./ends.ts";
import { LiveEntry } from "./live-entry.ts";

/** The live sessions of a node, by id and by each of their public ids. */
export class Entries {
  readonly #mark: () => number;
  readonly #bySid = new Map<string, LiveEntry>();
  readonly #byPublicId = new Map<string, LiveEntry>();

  /** `mark`: the hub's next mark in the order of events. */
  constructor(mark: () => number) {
    this.#mark = mark;
  }

  get size(): number {
    return this.#bySid.size;
  }

  get(key: SessionKey): LiveEntry | undefined {
    return this.#bySid.get(key.sid);
  }

  ofPublicId(publicId: string): LiveEntry | undefined {
    return this.#byPublicId.get(publicId);
  }

  /** The entry that a change names, if it is live here. */
  named({ publicIds = [], sid }: ChangedSession): LiveEntry | undefined {
    if (sid !== undefined) return this.#bySid.get(sid);
    for (const publicId of publicIds) {
      const entry = this.#byPublicId.get(publicId);
      if (entry) return entry;
    }
    return undefined;
  }

  /** The entry of this session; creates it if there is none. */
  ensure(key: SessionKey): LiveEntry {
    let entry = this.#bySid.get(key.sid);
    if (!entry) {
      entry = new LiveEntry({ ...key }, this.#mark()); // its public ids are needed now: a copy is smaller
      this.#bySid.set(key.sid, entry);
      for (const publicId of key.publicIds) this.#byPublicId.set(publicId, entry);
    }
    return entry;
  }

  /** The entry of a session that was just made. Throws if another has its id. */
  make(key: SessionKey, cookie: CookieDocument, unstored: Unstored): LiveEntry {
    const entry = this.ensure(key);
    entry.make(new Snapshot({ fields: new Map(), cookie }, Number.POSITIVE_INFINITY, ""), unstored);
    return entry;
  }

  /** How many sessions are live, without those of guests, which are not stored. */
  get live(): number {
    return [...this].filter(({ isUnstored }) => !isUnstored).length;
  }

  /** Removes this entry, but not a later one of the same session. */
  remove(entry: LiveEntry): void {
    if (this.#bySid.get(entry.key.sid) !== entry) return;
    this.#bySid.delete(entry.key.sid);
    for (const publicId of entry.key.publicIds) this.#byPublicId.delete(publicId);
  }

  clear(): void {
    this.#bySid.clear();
    this.#byPublicId.clear();
  }

  [Symbol.iterator](): Iterator<LiveEntry> {
    return [...this.#bySid.values()][Symbol.iterator]();
  }
}
