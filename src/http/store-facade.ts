import { Store } from "express-session";
import type { Activity } from "../core/activity.ts";
import type { Hub } from "../core/hub.ts";
import { KeyedLock } from "../core/keyed-lock.ts";
import type { Edit, Held, Saved, Saves } from "../core/saves.ts";
import type { SessionKey, SessionStore } from "../core/session-store.ts";
import { SessionEnded } from "../errors.ts";
import { heldBy, type LoadedSessions } from "./loaded-sessions.ts";
import type { Responses } from "./responses.ts";

export interface HttpContext {
  readonly store: SessionStore;
  readonly hub: Hub;
  readonly saves: Saves;
  readonly activity: Activity;
  readonly nameOf: (sid: string) => SessionKey;
  readonly loaded: LoadedSessions;
  readonly responses: Responses;
  readonly onConflict: (key: SessionKey, keys: readonly string[]) => void;
  readonly onDiscard: (key: SessionKey) => void;
}

type Callback<T> = (error?: unknown, value?: T) => void;
type Request = Parameters<Store["createSession"]>[0];
type SessionData = Parameters<Store["createSession"]>[1];
type Generate = (request: Request) => void;

/**
 * The `express-session` store over the hub: loads remember their base, saves are merged onto what is stored now,
 * and nothing brings an ended session back. One object for each `session()` middleware, which puts its own
 * `generate` on it. Every callback is called once, asynchronously; what it throws goes to the `error` event.
 */
export class StoreFacade extends Store {
  /** Present where the underlying store can list, count or clear. */
  override all?: NonNullable<Store["all"]>;
  override length?: NonNullable<Store["length"]>;
  override clear?: NonNullable<Store["clear"]>;
  readonly #context: HttpContext;
  /** Saves of one session one after another: each starts from what the one before has stored. */
  readonly #saves = new KeyedLock();
  #generate: Generate | undefined;

  constructor(context: HttpContext) {
    super();
    this.#context = context;
    const { hub, store } = context;
    if (store.all)
      this.all = (callback) => this.#answer(hub.store.all().then(asSessionData<never>), callback);
    if (store.count) this.length = (callback) => this.#answer(hub.store.count(), callback);
    if (store.clear) this.clear = (callback) => this.#answer(this.#clear(), callback);
  }

  get(sid: string, callback: Callback<SessionData | null>): void {
    const { hub, nameOf, loaded } = this.#context;
    const load = async (): Promise<SessionData | null> => {
      const since = hub.mark();
      const stored = await hub.read(nameOf(sid));
      if (!stored) return null;
      const { document, expiresAt } = stored;
      // a touch moves the deadline of the store, not the copy inside the document
      if (document.cookie?.expires) document.cookie.expires = new Date(expiresAt).toISOString();
      loaded.loaded(sid, document, stored, since);
      return asSessionData<SessionData>(document);
    };
    this.#answer(load(), callback);
  }

  set(sid: string, session: SessionData, callback?: Callback<void>): void {
    const request: unknown = Reflect.get(session, "req");
    const quiet =
      typeof request === "object" && request !== null && this.#context.responses.isEnding(request);
    this.#answer(this.#save(sid, session, quiet), callback);
  }

  override touch(sid: string, session: SessionData, callback?: Callback<void>): void {
    const touch = async (): Promise<void> => {
      const { loaded, activity, nameOf } = this.#context;
      const edit = loaded.edit(sid, session);
      // a changed `req.session.cookie` alone arrives as a touch, and so does what looks unchanged to express-session: an
      // update undone, or a save that failed
      if (edit && (edit.patch.size > 0 || edit.cookieChanged)) return this.#save(sid, session, true);
      const { fields, cookie } = heldBy(session);
      const expiresAt = loaded.baseOf(sid, session)?.stored.expiresAt ?? 0;
      await activity.onRequest(nameOf(sid), { fields, cookie, expiresAt });
    };
    this.#answer(touch(), callback);
  }

  destroy(sid: string, callback?: Callback<void>): void {
    const end = async (): Promise<void> => {
      await this.#context.hub.end(this.#context.nameOf(sid), "destroyed");
    };
    this.#answer(end(), callback);
  }

  override regenerate(request: Request, callback: Callback<void>): void {
    const { hub, nameOf, responses } = this.#context;
    const replace = async (): Promise<void> => {
      try {
        await hub.end(nameOf(request.sessionID), "replaced", responses.settled(request));
      } finally {
        this.generate(request);
      }
    };
    this.#answer(replace(), callback);
  }

  override createSession(request: Request, document: SessionData): ReturnType<Store["createSession"]> {
    const { loaded, responses } = this.#context;
    const session = super.createSession(request, document);
    loaded.inflated(session, document);
    responses.watch(request);
    return session;
  }

  /** Assigned by `express-session`; what it makes is remembered as never stored. */
  get generate(): Generate {
    return (request) => {
      this.#generate?.(request);
      this.#context.loaded.generated(request.session);
      this.#context.responses.watch(request);
    };
  }

  set generate(generate: Generate) {
    this.#generate = generate;
  }

  /** `quiet`: nobody asked for this save, so an ended session is no error to anybody. */
  async #save(sid: string, session: object, quiet: boolean): Promise<void> {
    const { nameOf, loaded, onConflict, onDiscard } = this.#context;
    const key = nameOf(sid);
    const held = heldBy(session);
    const edit = loaded.edit(sid, session); // now, not when its turn comes: an update may change the session until then
    if (edit) loaded.begun(session, edit);
    let saved: Saved | undefined;
    try {
      saved = await this.#saves.run(sid, () => this.#write(key, session, held, edit, quiet));
    } finally {
      if (edit) loaded.settled(sid, session, edit, saved?.snapshot ?? undefined);
    }
    if (saved && !saved.snapshot) {
      onDiscard(key);
      if (!quiet) throw new SessionEnded(key.publicId);
    }
    if (saved && saved.conflicts.length > 0) onConflict(key, saved.conflicts);
  }

  /** Undefined if there was nothing to write, and the session is not over. */
  async #write(
    key: SessionKey,
    session: object,
    held: Held,
    begun: Edit | undefined,
    quiet: boolean,
  ): Promise<Saved | undefined> {
    const { loaded, saves, activity, hub } = this.#context;
    const since = loaded.unstoredSince(session);
    if (since !== undefined) {
      const created = await this.#create(key, session, held, since);
      if (created) return created;
    }
    const stored = loaded.baseOf(key.sid, session)?.stored;
    if (!stored) return saves.saveWhole(key, held);
    const edit = begun ?? loaded.edit(key.sid, session); // none: it was stored for the first time meanwhile
    if (edit && (edit.patch.size > 0 || edit.cookieChanged)) {
      const saved = await saves.save(key, stored, edit);
      if (edit !== begun) loaded.settled(key.sid, session, edit, saved.snapshot ?? undefined);
      return saved;
    }
    const touched = await activity.onRequest(key, { ...held, expiresAt: stored.expiresAt });
    return touched && (quiet || (await hub.read(key)) !== null)
      ? undefined
      : { snapshot: null, conflicts: [] };
  }

  /** Undefined if an update of the same request has stored the session meanwhile. */
  async #create(key: SessionKey, session: object, held: Held, since: number): Promise<Saved | undefined> {
    const { loaded, saves, hub } = this.#context;
    const snapshot = await saves.createNew(key, held, since, (stored) => {
      loaded.created(key.sid, session, held, stored);
    });
    if (snapshot || hub.hasEnded(key, since)) return { snapshot, conflicts: [] };
    if (loaded.baseOf(key.sid, session)) return undefined;
    const saved = await saves.overwrite(key, held); // `genid` has given an id again
    if (saved.snapshot) loaded.created(key.sid, session, held, saved.snapshot);
    return saved;
  }

  async #clear(): Promise<void> {
    await this.#context.hub.store.clear();
    await this.#context.hub.revalidateAll();
  }

  #answer<T>(outcome: Promise<T>, callback: Callback<T> | undefined): void {
    const { hub } = this.#context;
    const answer = (error: unknown, value?: T) => {
      // not within the promise chain: what the callback throws must not look like a failed store
      if (callback) process.nextTick(() => hub.tell(() => callback(error, value)));
      else if (error) hub.report(error);
    };
    outcome.then((value) => answer(null, value), answer);
  }
}

/** The upstream types call a stored document by the name of what it becomes. */
function asSessionData<T>(stored: unknown): T {
  return stored as T;
}
