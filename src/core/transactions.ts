import { AsyncLocalStorage } from "node:async_hooks";
import { SessionEnded, SocketSessionError } from "../errors.ts";
import { ExpiringMap } from "./expiring-map.ts";
import { documentOf, type Fields, fieldsOf, type SessionValues, valuesOf } from "./fields.ts";
import type { Hub } from "./hub.ts";
import { KeyedLock } from "./keyed-lock.ts";
import { lifeMs } from "./life-time.ts";
import type { LiveEntry } from "./live-entry.ts";
import { applyPatch, conflictsOf, cookieChanged, diff } from "./merge.ts";
import type { CookieDocument, SessionKey } from "./session-store.ts";
import { type Snapshot, snapshotOf, snapshotOfDocument } from "./snapshot.ts";
import { withTimeout } from "./with-timeout.ts";

export interface TransactionOptions {
  readonly ttlMs: number;
  readonly updateTimeoutMs: number;
}

/** A session as a request holds it. */
export interface Held {
  readonly fields: Fields;
  readonly cookie: CookieDocument;
}

/** A session as it is stored. */
export type Version = Pick<Snapshot, "fields" | "cookie" | "expiresAt" | "revision">;

/** What a request loaded or saved last, which its next save is compared with, and what was stored then. */
export interface Base extends Held {
  readonly stored: Version;
}

/** Application code that changes a draft. */
export type Change<R> = (draft: SessionValues) => R | Promise<R>;

export interface Updated<R> {
  readonly result: R;
  readonly snapshot: Snapshot;
}

export interface Saved {
  /** Null: the session has ended, nothing was written. */
  readonly snapshot: Snapshot | null;
  /** Keys that another writer had changed too and this save overwrote. */
  readonly conflicts: readonly string[];
}

/** How often a conditional write may be beaten before `SESSION_CONTENTION`. */
const maxAttempts = 100;
const maxBackoffMs = 20;
const endedMemoryMs = 600_000;

interface Frame {
  readonly sid: string;
  readonly outer: Frame | undefined;
  running: boolean;
}

/**
 * Everything that changes what a session holds: `update` (a transaction) and `save` (the three-way merge of an
 * `express-session` save). All of them end in one conditional write, which is tried again on what is stored by then.
 */
export class Transactions {
  readonly #hub: Hub;
  readonly #options: TransactionOptions;
  readonly #updates = new KeyedLock();
  readonly #frames = new AsyncLocalStorage<Frame>();
  readonly #ended: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(hub: Hub, options: TransactionOptions) {
    this.#hub = hub;
    this.#options = options;
    this.#ended = new ExpiringMap(hub.clock);
  }

  get counts(): { updates: number; rememberedEnds: number } {
    return { updates: this.#updates.size, rememberedEnds: this.#ended.heldSize };
  }

  close(): void {
    this.#ended.clear();
  }

  /** A session of this id has existed and is over: a save without base must not make it anew. */
  rememberEnd(key: SessionKey): void {
    this.#ended.set(key.sid, { expiresAt: this.#hub.clock.now() + endedMemoryMs });
  }

  /**
   * Runs `fn` on a draft and writes what it changed in one atomic step. Updates of one session run one after another
   * in this process; `fn` runs again, on fresh data, when any other writer was faster. Rejects with `SessionEnded`,
   * `SESSION_NESTED_UPDATE`, `SESSION_UPDATE_TIMEOUT`, `SESSION_CONTENTION`, or what `fn` throws: nothing is written then.
   */
  async update<R>(key: SessionKey, fn: Change<R>, unstored?: () => Held | undefined): Promise<Updated<R>> {
    this.#refuseNesting(key);
    return this.#hub.hold(key, (entry) =>
      this.#updates.run(key.sid, () => {
        const fresh = unstored?.();
        return fresh ? this.#createBy(key, fresh, fn) : this.#transact(entry, fn);
      }),
    );
  }

  /** Nobody else knows the id of a session that was never stored, so nothing can come between. */
  async #createBy<R>(key: SessionKey, { fields, cookie }: Held, fn: Change<R>): Promise<Updated<R>> {
    const draft = valuesOf(fields);
    const result = await this.#runInFrame(key, () => fn(draft));
    const { snapshot } = await this.create(key, { fields: draftFields(draft), cookie });
    if (!snapshot) throw new SessionEnded(key.publicId);
    return { result, snapshot };
  }

  async #transact<R>(entry: LiveEntry, fn: Change<R>): Promise<Updated<R>> {
    const { key } = entry;
    let current = entry.snapshot ?? (await this.#hub.load(entry));
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      if (!current || entry.isEnded) throw new SessionEnded(key.publicId);
      const draft = valuesOf(current.fields);
      const result = await this.#runInFrame(key, () => fn(draft));
      if (entry.isEnded) throw new SessionEnded(key.publicId);
      const patch = diff(current.fields, draftFields(draft));
      if (patch.size === 0) return { result, snapshot: current };
      const seen = current;
      const written = await this.#hub.lock.run(key.sid, () =>
        this.#replace(key, seen, applyPatch(seen.fields, patch), seen.cookie, "keep"),
      );
      if (written) return { result, snapshot: written };
      if (attempt > 1) await this.#backoff(attempt);
      current = await this.#hub.reload(entry);
    }
    throw this.#contention(key, "update");
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
        const expiresAt = this.#deadline(merged);
        const written = await this.#replace(
          key,
          current,
          applyPatch(current.fields, patch),
          merged,
          expiresAt,
        );
        if (written) return { snapshot: written, conflicts: conflictsOf(base.fields, current.fields, patch) };
        if (attempt > 2) await this.#backoff(attempt);
        current = await this.#readCurrent(key);
      }
      if (current) throw this.#contention(key, "save");
      return { snapshot: null, conflicts: [] };
    });
  }

  /** Stores a session that was made in this process and never stored; an id that exists already is written over. */
  async create(key: SessionKey, { fields, cookie }: Held): Promise<Saved> {
    return this.#hub.lock.run(key.sid, async () => {
      const expiresAt = this.#deadline(cookie);
      const document = documentOf(fields, cookie);
      const revision = await this.#hub.store.create(key, document, expiresAt);
      if (revision === null) return this.#overwrite(key, { fields, cookie });
      const snapshot = snapshotOfDocument(document, expiresAt, revision);
      const entry = this.#hub.live(key);
      if (entry) this.#hub.adopt(entry, snapshot);
      return { snapshot, conflicts: [] };
    });
  }

  /** Saves data of unknown origin: replaces all of a stored session, makes one only if this id never ended here. */
  async saveWhole(key: SessionKey, held: Held): Promise<Saved> {
    if (!this.#ended.get(key.sid)) return this.create(key, held);
    return this.#hub.lock.run(key.sid, () => this.#overwrite(key, held));
  }

  async #overwrite(key: SessionKey, { fields, cookie }: Held): Promise<Saved> {
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      const current = await this.#readCurrent(key);
      if (!current) return { snapshot: null, conflicts: [] };
      const written = await this.#replace(key, current, fields, cookie, this.#deadline(cookie));
      if (written) return { snapshot: written, conflicts: [] };
      await this.#backoff(attempt);
    }
    throw this.#contention(key, "save");
  }

  /** One conditional write; what was written becomes the live session's snapshot. Null if another writer was faster. */
  async #replace(
    key: SessionKey,
    current: Version,
    fields: Fields,
    cookie: CookieDocument,
    expiresAt: number | "keep",
  ): Promise<Snapshot | null> {
    const entry = this.#hub.live(key);
    const document = documentOf(fields, cookie);
    const write = async (): Promise<Snapshot | null> => {
      const revision = await this.#hub.store.replace(key, current.revision, document, expiresAt);
      if (revision === null) return null;
      return snapshotOfDocument(document, expiresAt === "keep" ? current.expiresAt : expiresAt, revision);
    };
    return this.#hub.write(entry, write, (snapshot) => {
      if (entry && snapshot) this.#hub.adopt(entry, snapshot);
    });
  }

  async #readCurrent(key: SessionKey): Promise<Snapshot | null> {
    const stored = await this.#hub.read(key);
    return stored && snapshotOf(stored);
  }

  #deadline(cookie: CookieDocument): number {
    return this.#hub.clock.now() + lifeMs(cookie, this.#options.ttlMs);
  }

  #runInFrame<R>(key: SessionKey, fn: () => R | Promise<R>): Promise<R> {
    const frame: Frame = { sid: key.sid, outer: this.#frames.getStore(), running: true };
    const { updateTimeoutMs } = this.#options;
    const late = () =>
      new SocketSessionError(
        "SESSION_UPDATE_TIMEOUT",
        `The function given to update() of session ${key.publicId} did not settle within ${updateTimeoutMs} ms; nothing was written. Do slow work before update(), or raise updateTimeoutMs.`,
      );
    const run = () => this.#frames.run(frame, fn);
    return withTimeout(this.#hub.clock, updateTimeoutMs, run, late).finally(() => {
      frame.running = false;
    });
  }

  #refuseNesting(key: SessionKey): void {
    for (let frame = this.#frames.getStore(); frame; frame = frame.outer) {
      if (frame.running && frame.sid === key.sid) {
        throw new SocketSessionError(
          "SESSION_NESTED_UPDATE",
          `update() of session ${key.publicId} was called inside an update() of the same session and would wait for itself. Change the draft that the outer function was given instead.`,
        );
      }
    }
  }

  #contention(key: SessionKey, operation: string): SocketSessionError {
    return new SocketSessionError(
      "SESSION_CONTENTION",
      `The ${operation} of session ${key.publicId} was beaten by other writers ${maxAttempts} times; nothing was written. Keep what changes many times a second out of the session.`,
    );
  }

  #backoff(attempt: number): Promise<void> {
    const delayMs = Math.random() * Math.min(2 ** attempt, maxBackoffMs);
    return new Promise((resolve) => this.#hub.clock.after(delayMs, resolve));
  }
}

function draftFields(draft: SessionValues): Fields {
  if ("cookie" in draft) {
    throw new SocketSessionError(
      "SESSION_INVALID_DATA",
      'The function given to update() set "cookie", which belongs to express-session. Change req.session.cookie in a request instead.',
    );
  }
  return fieldsOf(draft);
}

/** The stored cookie, with the later of both times. */
function extended(current: CookieDocument, mine: CookieDocument): CookieDocument {
  return (mine.expires ?? "") > (current.expires ?? "")
    ? { ...current, expires: mine.expires ?? null }
    : current;
}
