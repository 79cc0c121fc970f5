import { randomOf } from "../base/clock.ts";
import { SocketSessionError } from "../base/errors.ts";
import { refuseLarger, writableDocument } from "../data/bounds.ts";
import { type Fields, type SessionValues, sameFields } from "../data/fields.ts";
import { deadlineFrom } from "../data/life-time.ts";
import { type Snapshot, snapshotOf } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { CookieDocument, Revision, SessionDocument, SessionKey } from "../session-store.ts";

/** A session as it is stored. */
export type Version = Pick<Snapshot, "fields" | "cookie" | "expiresAt" | "revision">;

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
  refuseLarger(fields: Fields, cookie: CookieDocument): void {
    refuseLarger(fields, cookie, this.#maxBytes);
  }

  /** Null if another writer won or the session is gone; else the live session already holds the returned snapshot. */
  async replace(
    key: SessionKey,
    current: Version,
    fields: Fields,
    cookie: CookieDocument,
    expiresAt: number | "keep",
  ): Promise<Snapshot | null> {
    const document = writableDocument(fields, cookie, this.#maxBytes);
    const kept = () => Math.max(current.expiresAt, this.#hub.entries.get(key)?.snapshot?.expiresAt ?? 0);
    const until = () => (expiresAt === "keep" ? kept() : expiresAt);
    const snapshot = await this.#write(key, current.revision, document, until, (token) =>
      this.#hub.store.replace(key, current.revision, document, expiresAt, this.#userOf(document), token),
    );
    if (snapshot && !sameFields(current.fields, fields)) this.#hub.announceChange(key, snapshot);
    return snapshot;
  }

  /** Null if a session with this id is already stored. */
  async create(
    key: SessionKey,
    fields: Fields,
    cookie: CookieDocument,
    isNewId = false,
  ): Promise<Snapshot | null> {
    const document = writableDocument(fields, cookie, this.#maxBytes);
    const expiresAt = this.deadline(cookie);
    return this.#write(
      key,
      undefined,
      document,
      () => expiresAt,
      () => this.#hub.store.create(key, document, expiresAt, this.#userOf(document), isNewId),
    );
  }

  async #write(
    key: SessionKey,
    replaced: Revision | undefined,
    document: SessionDocument,
    expiresAt: () => number,
    store: (token: string) => Promise<Revision | null>,
  ): Promise<Snapshot | null> {
    const draft = snapshotOf({ document, expiresAt: 0, revision: "" }); // before the write: a failure here writes nothing
    const write = this.#hub.writes.begin();
    const revision = await store(write.token).catch((error: unknown) => {
      this.#hub.writes.fail(key, write);
      throw error;
    });
    if (revision === null) return null;
    const snapshot = { ...draft, expiresAt: expiresAt(), revision };
    await this.#hub.writes.settle(key, write, snapshot, replaced);
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
    return new Promise((resolve) => this.#hub.clock.after(delayMs, resolve));
  }

  contention(key: SessionKey, operation: string): SocketSessionError {
    return new SocketSessionError(
      "SESSION_CONTENTION",
      `The ${operation} of session ${key.publicId} was beaten by other writers ${maxAttempts} times; nothing was written. Keep what changes many times a second out of the session.`,
    );
  }
}
