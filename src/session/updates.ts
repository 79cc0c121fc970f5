import { AsyncLocalStorage } from "node:async_hooks";
import { LoginUndone, SessionEnded, SocketSessionError, unverifiedError } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { withTimeout } from "../base/with-timeout.ts";
import { fieldsOf, type SessionValues, valuesOf } from "../data/fields.ts";
import { renewed } from "../data/life-time.ts";
import { refuseLosses } from "../data/lost-in-json.ts";
import { applyPatch, diff, type Patch } from "../data/merge.ts";
import type { SessionContent, Snapshot } from "../data/snapshot.ts";
import type { Unstored } from "../live/ends.ts";
import type { Hub } from "../live/hub.ts";
import type { LiveEntry } from "../live/live-entry.ts";
import type { SessionKey } from "../session-store.ts";
import { type ConditionalWrites, maxAttempts } from "./conditional-writes.ts";
import type { Saves } from "./saves.ts";

/** Application code that changes a draft. */
export type Change<R> = (draft: SessionValues) => R | Promise<R>;

export interface Updated<R> {
  readonly result: R;
  /** The stored version; undefined if the session is still not stored. */
  readonly snapshot: Snapshot | undefined;
}

/**
 * A request's own session object. `update` starts from it while the session is not stored, and refreshes it afterwards.
 */
export interface OwnObject {
  /** The object's content and birth, if the session has never been stored. */
  unstored(): (SessionContent & Unstored) | undefined;
  /** Called before the session's next update begins. `began`: the content given to `fn`, if the session was not stored then. */
  refresh(snapshot: Snapshot, began: SessionContent | undefined): void;
  /** The update was a login that is undone. */
  undone(): void;
}

/** An update under way, as seen by the code inside it. */
interface Frame {
  readonly sid: string;
  readonly outer: Frame | undefined;
  running: boolean;
}

/**
 * `update(fn)`: a transaction over one session. `fn` runs outside the session's lock, so it may await a request of the
 * same session; the lock spans only the write. If another writer wins, `fn` runs again on fresh data.
 */
export class Updates {
  readonly #hub: Hub;
  readonly #writes: ConditionalWrites;
  readonly #saves: Saves;
  readonly #timeoutMs: number;
  readonly #queue = new KeyedLock();
  readonly #frames = new AsyncLocalStorage<Frame>();

  constructor(hub: Hub, writes: ConditionalWrites, saves: Saves, timeoutMs: number) {
    this.#hub = hub;
    this.#writes = writes;
    this.#saves = saves;
    this.#timeoutMs = timeoutMs;
  }

  /** Sessions that have an update running or waiting. */
  get running(): number {
    return this.#queue.size;
  }

  /** Resolves once the running updates have ended. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /**
   * Runs `fn` on a draft and writes its changes in one atomic step. Updates of one session run one after another in
   * this process.
   *
   * Rejects with `SessionEnded`, `SESSION_NESTED_UPDATE`, `SESSION_UPDATE_TIMEOUT`, `SESSION_CONTENTION`,
   * `SESSION_INVALID_DATA`, the store's error, or what `fn` throws: nothing is written then. With `LoginUndone`, after it has
   * ended the session.
   */
  async update<R>(key: SessionKey, fn: Change<R>, own?: OwnObject): Promise<Updated<R>> {
    this.#refuseNesting(key);
    return this.#hub.hold(key, (entry) =>
      this.#queue.run(key.sid, async () => {
        try {
          return await this.#update(entry, fn, own);
        } catch (error) {
          if (error instanceof LoginUndone) own?.undone();
          throw error;
        }
      }),
    );
  }

  async #update<R>(entry: LiveEntry, fn: Change<R>, own?: OwnObject): Promise<Updated<R>> {
    const created = await this.#create(entry, fn, own);
    if (created) return created;
    const updated = await this.#change(entry, fn);
    if (updated.snapshot) own?.refresh(updated.snapshot, undefined);
    return updated;
  }

  /** Undefined if the session is stored, even if only just now: the caller then runs `fn` on the stored version. */
  async #create<R>(entry: LiveEntry, fn: Change<R>, own?: OwnObject): Promise<Updated<R> | undefined> {
    const { key } = entry;
    const began = own?.unstored() ?? this.#asMade(entry);
    if (!began) return undefined;
    const draft = valuesOf(began.fields);
    const result = await this.#run(key, () => fn(draft));
    const patch = this.#patchOf(draft, began);
    if (entry.isEnded) throw overError(entry);
    if (patch.size === 0) return { result, snapshot: undefined };
    const fields = applyPatch(began.fields, patch);
    const snapshot = await this.#saves.createNew(
      key,
      { fields, cookie: began.cookie, isNewId: began.isNewId },
      began.since,
      (stored) => own?.refresh(stored, began),
    );
    if (snapshot) return { result, snapshot };
    if (this.#hub.ends.has(key, began.since)) throw new SessionEnded(key.publicId);
    return undefined;
  }

  /** What a guest's session is stored with: its life begins with its first write. */
  #asMade({ state }: LiveEntry): (SessionContent & Unstored) | undefined {
    if (state.phase !== "unstored") return undefined;
    const { initial, since, isNewId } = state;
    return { fields: initial.fields, cookie: renewed(initial.cookie, this.#hub.clock.now()), since, isNewId };
  }

  async #change<R>(entry: LiveEntry, fn: Change<R>): Promise<Updated<R>> {
    const { key } = entry;
    let current = entry.known ?? (await this.#hub.reads.load(entry));
    for (let attempt = 1; attempt <= maxAttempts; attempt++) {
      if (!current || entry.isEnded) throw overError(entry);
      const draft = valuesOf(current.fields);
      const result = await this.#run(key, () => fn(draft));
      if (entry.isEnded) throw overError(entry);
      const patch = this.#patchOf(draft, current);
      if (patch.size === 0) {
        const now = entry.snapshot ?? (await this.#hub.reads.load(entry)); // a loaded session may have ended since
        if (!now) throw overError(entry);
        return { result, snapshot: now };
      }
      const seen = current;
      const content = { fields: applyPatch(seen.fields, patch), cookie: seen.cookie };
      const write = () => this.#writes.replace(key, seen, content, "keep");
      const snapshot = await this.#writes.locked(key, write);
      if (snapshot) return { result, snapshot };
      if (attempt > 1) await this.#writes.backoff(attempt);
      current = await this.#hub.reads.load(entry);
    }
    throw this.#writes.contention(key, "update");
  }

  /** The changes made to a draft. Throws `SESSION_INVALID_DATA`. */
  #patchOf(draft: SessionValues, { fields, cookie }: SessionContent): Patch {
    if ("cookie" in draft) {
      throw new SocketSessionError(
        "SESSION_INVALID_DATA",
        'The function given to update() set "cookie", which belongs to express-session. Change req.session.cookie in a request instead.',
      );
    }
    const texts = fieldsOf(draft);
    const patch = diff(fields, texts);
    if (patch.size > 0) this.#writes.refuseLarger({ fields: texts, cookie });
    refuseLosses(draft, texts, fields);
    return patch;
  }

  #run<R>(key: SessionKey, fn: () => R | Promise<R>): Promise<R> {
    const frame: Frame = { sid: key.sid, outer: this.#frames.getStore(), running: true };
    const late = () =>
      new SocketSessionError(
        "SESSION_UPDATE_TIMEOUT",
        `The function given to update() of session ${key.publicId} did not settle within ${this.#timeoutMs} ms; nothing was written. Do slow work before update(), or raise updateTimeoutMs.`,
      );
    return withTimeout(this.#hub.clock, this.#timeoutMs, () => this.#frames.run(frame, fn), late).finally(
      () => {
        frame.running = false;
      },
    );
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
}

/** Why the session of `entry` can't be written to. */
export function overError({ key, isUnverified }: LiveEntry): SocketSessionError {
  return isUnverified ? unverifiedError(key.publicId) : new SessionEnded(key.publicId);
}
