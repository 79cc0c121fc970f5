import { pause, randomOf } from "../base/clock.ts";
import { SocketSessionError } from "../base/errors.ts";
import { refuseLarger, writableDocument } from "../data/bounds.ts";
import { type SessionValues, sameFields } from "../data/fields.ts";
import { deadlineFrom } from "../data/life-time.ts";
import { type SessionContent, Snapshot, snapshotOf } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { CookieDocument, SessionKey } from "../session-store.ts";

/** The user that a session with these data belongs to, if any; the store may index it. */
export type UserOf = (data: Readonly<SessionValues>) => string | undefined;

/** How many times other writers may win before `SESSION_CONTENTION`. */
export const maxAttempts = 100;
const maxBackoffMs = 20;

/** The single write that every change ends in: on top of one revision, or not at all. */
export class ConditionalWrites {
  readonly #hub: Hub;
  readonly #ttlMs: number;
  readonly #userOf: UserOf;
  readonly #maxBytes: number;

  /** `userOf`: the user for the store's index. `maxBytes`: the largest session, as JSON. */
  constructor(hub: Hub, ttlMs: number, userOf: UserOf, maxBytes: number) {
    this.#hub = hub;
    this.#ttlMs = ttlMs;
    this.#userOf = userOf;
    this.#maxBytes = maxBytes;
  }

  /** Throws `SESSION_INVALID_DATA` if the session is too large, before anything else is done. */
  refuseLarger(content: SessionContent): void {
    refuseLarger(content, this.#maxBytes);
  }

  /** Null if another writer won or the session is gone; else the live session already holds the returned snapshot. */
  async replace(
    key: SessionKey,
    current: Snapshot,
    content: SessionContent,
    expiresAt: number | "keep",
  ): Promise<Snapshot | null> {
    const document = writableDocument(content, this.#maxBytes);
    const { store, entries, writes } = this.#hub;
    const { revision: replaced } = current;
    const user = this.#userOf(document);
    const snapshot = await writes.run(key, replaced, async (token) => {
      const revision = await store.replace(key, replaced, document, expiresAt, user, token);
      if (revision === null) return null;
      const kept = Math.max(current.expiresAt, entries.get(key)?.snapshot?.expiresAt ?? 0);
      return new Snapshot(content, expiresAt === "keep" ? kept : expiresAt, revision);
    });
    if (snapshot && !sameFields(current.fields, content.fields)) this.#hub.announce(key, snapshot, current);
    return snapshot;
  }

  /** Null if a session with this id is already stored. */
  async create(key: SessionKey, content: SessionContent, isNewId = false): Promise<Snapshot | null> {
    const document = writableDocument(content, this.#maxBytes);
    const expiresAt = this.deadline(content.cookie);
    const user = this.#userOf(document);
    const snapshot = await this.#hub.writes.run(key, undefined, async () => {
      const revision = await this.#hub.store.create(key, document, expiresAt, user, isNewId);
      return revision === null ? null : new Snapshot(content, expiresAt, revision);
    });
    if (snapshot) this.#hub.announce(key, snapshot);
    return snapshot;
  }

  /** Reads the stored session; the caller holds the session's lock. */
  async read(key: SessionKey): Promise<Snapshot | null> {
    const stored = await this.#hub.reads.readNow(key);
    return stored && snapshotOf(stored);
  }

  /** When a session with this cookie ends if it is used now. */
  deadline(cookie: CookieDocument): number {
    return deadlineFrom(this.#hub.clock.now(), cookie, this.#ttlMs);
  }

  /** Waits a short random time before the next attempt. */
  backoff(attempt: number): Promise<void> {
    const delayMs = randomOf(this.#hub.clock) * Math.min(2 ** attempt, maxBackoffMs);
    return pause(this.#hub.clock, delayMs);
  }

  contention(key: SessionKey, operation: string): SocketSessionError {
    return new SocketSessionError(
      "SESSION_CONTENTION",
      `The ${operation} of session ${key.publicId} was beaten by other writers ${maxAttempts} times; nothing was written. Keep what changes many times a second out of the session.`,
    );
  }
}
