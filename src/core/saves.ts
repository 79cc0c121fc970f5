import { type ConditionalWrites, maxAttempts, type Version } from "./conditional-writes.ts";
import { ExpiringMap } from "./expiring-map.ts";
import type { Fields } from "./fields.ts";
import type { Hub } from "./hub.ts";
import { applyPatch, conflictsOf, cookieChanged, diff } from "./merge.ts";
import type { CookieDocument, SessionKey } from "./session-store.ts";
import type { Snapshot } from "./snapshot.ts";

/** A session as a request holds it. */
export interface Held {
  readonly fields: Fields;
  readonly cookie: CookieDocument;
}

/** What a request loaded or saved last, which its next save is compared with, and what was stored then. */
export interface Base extends Held {
  readonly stored: Version;
}

export interface Saved {
  /** Null: the session has ended, nothing was written. */
  readonly snapshot: Snapshot | null;
  /** Keys that another writer had changed too and this save overwrote. */
  readonly conflicts: readonly string[];
}

/** How long an ended id is remembered, against saves that have no base. */
const endedMemoryMs = 600_000;
const nothing: Saved = { snapshot: null, conflicts: [] };

/** What becomes of an `express-session` save: a three-way merge, one after another for each session of this process. */
export class Saves {
  readonly #hub: Hub;
  readonly #writes: ConditionalWrites;
  readonly #ended: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(hub: Hub, writes: ConditionalWrites) {
    this.#hub = hub;
    this.#writes = writes;
    this.#ended = new ExpiringMap(hub.clock);
  }

  get rememberedEnds(): number {
    return this.#ended.heldSize;
  }

  close(): void {
    this.#ended.clear();
  }

  /** A session of this id has existed and is over: a save without base must not make it anew. */
  rememberEnd(key: SessionKey): void {
    this.#ended.set(key.sid, { expiresAt: this.#hub.clock.now() + endedMemoryMs });
  }

  /**
   * Saves what a request changed since `base`, on top of what is stored now. The cookie is written if the request
   * changed it, else the stored one is extended. Never brings an ended session back.
   */
  async save(key: SessionKey, base: Base, { fields, cookie }: Held): Promise<Saved> {
    const patch = diff(base.fields, fields);
    const ownCookie = cookieChanged(base.cookie, cookie);
    return this.#hub.lock.run(key.sid, async () => {
      let current: Version | null = this.#hub.live(key)?.snapshot ?? base.stored;
      for (let attempt = 1; attempt <= maxAttempts && current; attempt++) {
        const merged = ownCookie ? cookie : extended(current.cookie, cookie);
        const patched = applyPatch(current.fields, patch);
        const deadline = this.#writes.deadline(merged);
        const snapshot = await this.#writes.replace(key, current, patched, merged, deadline);
        if (snapshot) return { snapshot, conflicts: conflictsOf(base.fields, current.fields, patch) };
        if (attempt > 2) await this.#writes.backoff(attempt);
        current = await this.#writes.read(key);
      }
      if (current) throw this.#writes.contention(key, "save");
      return nothing;
    });
  }

  /** Stores a session that was made in this process and never stored; an id that exists already is written over. */
  async create(key: SessionKey, held: Held): Promise<Saved> {
    return this.#hub.lock.run(key.sid, async () => {
      const snapshot = await this.#writes.create(key, held.fields, held.cookie);
      return snapshot ? { snapshot, conflicts: [] } : this.#overwrite(key, held);
    });
  }

  /** Saves data of unknown origin: replaces all of a stored session, makes one only if this id never ended here. */
  async saveWhole(key: SessionKey, held: Held): Promise<Saved> {
    if (!this.#ended.get(key.sid)) return this.create(key, held);
    return this.#hub.lock.run(key.sid, () => this.#overwrite(key, held));
  }

  async #overwrite(key: SessionKey, { fields, cookie }: Held): Promise<Saved> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#writes.read(key);
      if (!current) return nothing;
      const deadline = this.#writes.deadline(cookie);
      const snapshot = await this.#writes.replace(key, current, fields, cookie, deadline);
      if (snapshot) return { snapshot, conflicts: [] };
      await this.#writes.backoff(attempt);
    }
    throw this.#writes.contention(key, "save");
  }
}

/** The stored cookie, with the later of both times. */
function extended(current: CookieDocument, mine: CookieDocument): CookieDocument {
  return (mine.expires ?? "") > (current.expires ?? "")
    ? { ...current, expires: mine.expires ?? null }
    : current;
}
