import { pause, randomOf } from "../base/clock.ts";
import { SocketSessionError } from "../base/errors.ts";
import { addStart, lacksStart, lastDeadline } from "../data/absolute-life.ts";
import { refuseLarger, storedDocument, writableDocument } from "../data/bounds.ts";
import { type SessionValues, sameFields, valuesBeside } from "../data/fields.ts";
import { deadlineFrom, type LifeOptions } from "../data/life-time.ts";
import { type SessionContent, Snapshot, snapshotOf } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { SessionKey } from "../session-store.ts";
import type { UserCap } from "./user-cap.ts";

/** The user that a session with these data belongs to, if any; the store may index it. */
export type UserOf = (data: Readonly<SessionValues>) => string | undefined;

/** How many times other writers may win before `SESSION_CONTENTION`. */
export const maxAttempts = 100;
const maxBackoffMs = 20;

/** The single write that every change ends in: on top of one revision, or not at all. */
export class ConditionalWrites {
  readonly #hub: Hub;
  readonly #life: LifeOptions;
  readonly #userOf: UserOf;
  readonly #maxBytes: number;
  readonly #cap: UserCap | undefined;
  /** By session id, while its lock is held: the user whose session it has just become. */
  readonly #loginsBySid = new Map<string, string>();

  /** `userOf`: the user for the store's index. `maxBytes`: the largest session, as JSON. */
  constructor(hub: Hub, life: LifeOptions, userOf: UserOf, maxBytes: number, cap?: UserCap) {
    this.#hub = hub;
    this.#life = life;
    this.#userOf = userOf;
    this.#maxBytes = maxBytes;
    this.#cap = cap;
  }

  /**
   * Runs `write` under the session's lock, as each of the operations below has to be. If it was a login, rejects with
   * `LoginUndone` where the cap of its user says so.
   */
  locked<T>(key: SessionKey, write: () => Promise<T>): Promise<T> {
    return this.#cap ? this.#checked(this.#cap, key, write) : this.#hub.lock.run(key.sid, write);
  }

  async #checked<T>(cap: UserCap, key: SessionKey, write: () => Promise<T>): Promise<T> {
    let user: string | undefined;
    const written = await this.#hub.lock.run(key.sid, async () => {
      try {
        return await write();
      } finally {
        user = this.#loginsBySid.get(key.sid);
        this.#loginsBySid.delete(key.sid);
      }
    });
    // Without the lock: the check may end this session, and others, whose own checks may end this one.
    if (user !== undefined) await cap.check(key, user);
    return written;
  }

  /** Throws `SESSION_INVALID_DATA` if the session is too large, before anything else is done. */
  refuseLarger(content: SessionContent): void {
    refuseLarger(content, this.#maxBytes);
  }

  /**
   * Writes `content` on top of `current`, and gives the session a start if it needs one. `use`: the session is used now, so
   * its deadline moves; `keep`: it does not. Null if another writer won, or the session is gone or over; else the live session
   * already holds the returned snapshot. Throws `SESSION_INVALID_DATA` if it changes the data to what is too large or too deep.
   */
  async replace(
    key: SessionKey,
    current: Snapshot,
    { fields, cookie }: SessionContent,
    life: "use" | "keep",
  ): Promise<Snapshot | null> {
    const now = this.#hub.clock.now();
    const content = { fields, cookie, startedAt: this.#startOf(current, now) };
    const isSame = sameFields(current.fields, fields);
    const document = isSame ? storedDocument(content) : writableDocument(content, this.#maxBytes);
    const user = this.#userOf(document);
    const isLogin =
      !isSame && user !== undefined && user !== this.#userOf(valuesBeside(current.fields, document, fields));
    addStart(document, content.startedAt);
    const last = lastDeadline(content.startedAt, this.#life.absoluteMs);
    if (last <= now) return null;
    const used = deadlineFrom(now, content, this.#life);
    const kept = current.expiresAt > last ? last : "keep";
    const expiresAt = life === "use" ? used : kept;
    const { store, entries, writes } = this.#hub;
    const { revision: replaced } = current;
    const snapshot = await writes.run(key, replaced, async (token) => {
      const revision = await store.replace(key, replaced, document, expiresAt, user, token, isLogin);
      if (revision === null) return null;
      const known = Math.max(current.expiresAt, entries.get(key)?.snapshot?.expiresAt ?? 0);
      return new Snapshot(content, expiresAt === "keep" ? Math.min(known, last) : expiresAt, revision);
    });
    if (snapshot && isLogin) this.#loggedIn(key, user);
    if (snapshot && !isSame) this.#hub.announce(key, snapshot, current);
    return snapshot;
  }

  /** Null if a session with this id is already stored. */
  async create(key: SessionKey, content: SessionContent, isNewId = false): Promise<Snapshot | null> {
    const document = writableDocument(content, this.#maxBytes);
    const user = this.#userOf(document);
    const now = this.#hub.clock.now();
    const made = { ...content, startedAt: this.#startOf({ startedAt: undefined }, now) };
    addStart(document, made.startedAt);
    const expiresAt = deadlineFrom(now, made, this.#life);
    const snapshot = await this.#hub.writes.run(key, undefined, async () => {
      const revision = await this.#hub.store.create(key, document, expiresAt, user, isNewId);
      return revision === null ? null : new Snapshot(made, expiresAt, revision);
    });
    if (snapshot && user !== undefined) this.#loggedIn(key, user);
    if (snapshot) this.#hub.announce(key, snapshot);
    return snapshot;
  }

  #loggedIn({ sid }: SessionKey, user: string): void {
    if (this.#cap) this.#loginsBySid.set(sid, user);
  }

  /** Reads the stored session; the caller holds the session's lock. */
  async read(key: SessionKey): Promise<Snapshot | null> {
    const stored = await this.#hub.reads.readNow(key);
    return stored && snapshotOf(stored);
  }

  /** When the session's absolute life time began. Undefined if there is no limit, and never was. */
  #startOf({ startedAt }: Pick<SessionContent, "startedAt">, now: number): number | undefined {
    return lacksStart(startedAt, this.#life.absoluteMs) ? now : startedAt;
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
