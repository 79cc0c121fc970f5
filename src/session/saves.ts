import { applyPatch, conflictsOf, type Patch } from "../data/merge.ts";
import type { SessionContent, Snapshot } from "../data/snapshot.ts";
import type { Birth } from "../live/ends.ts";
import type { Hub } from "../live/hub.ts";
import type { CookieDocument, SessionKey } from "../session-store.ts";
import { type ConditionalWrites, maxAttempts } from "./conditional-writes.ts";

/** The changes that a request made to its session since it loaded it. */
export interface Edit {
  /** The content that the request loaded; conflicts are found by comparing with it. */
  readonly base: SessionContent;
  readonly patch: Patch;
  readonly cookie: CookieDocument;
  /** If true, the request's cookie is written; else the stored cookie is extended. */
  readonly cookieChanged: boolean;
}

export interface Saved {
  /** Null if the session has ended; then nothing was written. */
  readonly snapshot: Snapshot | null;
  /** Keys that this save overwrote although another writer had changed them. */
  readonly conflicts: readonly string[];
}

const nothing: Saved = { snapshot: null, conflicts: [] };

/** Saves of `express-session`, as three-way merges; one at a time for each session of this process. */
export class Saves {
  readonly #hub: Hub;
  readonly #writes: ConditionalWrites;

  constructor(hub: Hub, writes: ConditionalWrites) {
    this.#hub = hub;
    this.#writes = writes;
  }

  /** Saves an edit on top of the stored version: the live snapshot, else `known`, is tried first. Revives no session. */
  save(key: SessionKey, known: Snapshot, edit: Edit): Promise<Saved> {
    return this.#writes.locked(key, async () => {
      let current: Snapshot | null = this.#hub.entries.get(key)?.snapshot ?? known;
      for (let attempt = 1; attempt <= maxAttempts && current; attempt++) {
        const merged = edit.cookieChanged ? edit.cookie : extended(current.cookie, edit.cookie);
        const patched = applyPatch(current.fields, edit.patch);
        const content = { fields: patched, cookie: merged };
        const snapshot = await this.#writes.replace(key, current, content, "use");
        if (snapshot)
          return { snapshot, conflicts: conflictsOf(edit.base.fields, current.fields, edit.patch) };
        if (attempt > 2) await this.#writes.backoff(attempt);
        current = await this.#writes.read(key);
      }
      if (current) throw this.#writes.contention(key, "save");
      return nothing;
    });
  }

  /** Overwrites the whole stored session, if there is one. */
  overwrite(key: SessionKey, content: SessionContent): Promise<Saved> {
    return this.#writes.locked(key, () => this.#overwrite(key, () => content));
  }

  /** Extends a stored session by a write, which gives it a start if it has none. False if it has ended. */
  async start(key: SessionKey): Promise<boolean> {
    const started = await this.#writes.locked(key, () => this.#overwrite(key, (current) => current));
    return started.snapshot !== null;
  }

  /**
   * Stores a new session. Null if the id is taken, or if the session ended after it was made. Calls `stored` before the
   * next write of the session starts.
   */
  createNew(
    key: SessionKey,
    content: SessionContent & { readonly isNewId: boolean },
    since: Birth | number,
    stored: (snapshot: Snapshot) => void,
  ): Promise<Snapshot | null> {
    return this.#writes.locked(key, async () => {
      if (this.#hub.ends.has(key, since)) return null;
      const snapshot = await this.#writes.create(key, content, content.isNewId);
      if (snapshot) stored(snapshot);
      return snapshot;
    });
  }

  /**
   * Saves data of unknown origin: overwrites a stored session; creates one only if the id never ended here nor was
   * `seen`.
   */
  saveWhole(key: SessionKey, content: SessionContent, seen = false): Promise<Saved> {
    return this.#writes.locked(key, async () => {
      const snapshot = seen || this.#hub.ends.has(key) ? null : await this.#writes.create(key, content);
      return snapshot ? { snapshot, conflicts: [] } : this.#overwrite(key, () => content);
    });
  }

  async #overwrite(key: SessionKey, next: (current: Snapshot) => SessionContent): Promise<Saved> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#writes.read(key);
      if (!current) return nothing;
      const snapshot = await this.#writes.replace(key, current, next(current), "use");
      if (snapshot) return { snapshot, conflicts: [] };
      await this.#writes.backoff(attempt);
    }
    throw this.#writes.contention(key, "save");
  }
}

/** The stored cookie with the later `expires` of the two. */
function extended(current: CookieDocument, mine: CookieDocument): CookieDocument {
  return (mine.expires ?? "") > (current.expires ?? "")
    ? { ...current, expires: mine.expires ?? null }
    : current;
}
