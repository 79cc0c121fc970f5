import { Cookie, Store } from "express-session";
import { SessionEnded } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { dateText, isOver, lifeMs, withLife } from "../data/life-time.ts";
import type { Birth } from "../live/ends.ts";
import type { Hub } from "../live/hub.ts";
import type { Activity } from "../session/activity.ts";
import type { Edit, Held, Saved, Saves } from "../session/saves.ts";
import type { SessionKey, SessionStore } from "../session-store.ts";
import { hasChanges, heldBy, type LoadedSessions } from "./loaded-sessions.ts";
import type { Responses } from "./responses.ts";
import { asGiven, listed, requireSession, requireSid } from "./store-contract.ts";

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
  /** A session is about to be stored for the first time. */
  readonly onCreate: (session: object) => void;
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
  readonly #idsAreNew: boolean;
  /** Saves of one session one after another: each starts from what the one before has stored. */
  readonly #saves = new KeyedLock();
  #generate: Generate | undefined;

  /** `idsAreNew`: no id is generated twice, as where there is no `genid`. */
  constructor(context: HttpContext, idsAreNew = false) {
    super();
    this.#context = context;
    this.#idsAreNew = idsAreNew;
    const { hub, store } = context;
    if (store.all) this.all = (callback) => this.#answer(hub.store.all().then(asSessionList), callback);
    if (store.count) this.length = (callback) => this.#answer(hub.store.count(), callback);
    if (store.clear) this.clear = (callback) => this.#answer(this.#clear(), callback);
  }

  get(sid: string, callback: Callback<SessionData | null>): void {
    const { hub, loaded } = this.#context;
    const load = async (): Promise<SessionData | null> => {
      const key = this.#keyOf(sid, "get");
      // a request that follows a redirect comes at the headers of the response, and finds what that request is still saving,
      // or is about to save when it has its turn
      if (this.#saves.isHeld(sid)) await this.#saves.run(sid, async () => {});
      const written = hub.reads.written(key);
      if (written) await written;
      const since = hub.mark();
      const stored = await hub.reads.read(key);
      if (!stored) return null;
      const { document, expiresAt } = stored;
      // a touch moves the deadline of the store, not the copy inside the document
      if (document.cookie?.expires) document.cookie.expires = dateText(expiresAt);
      loaded.loaded(sid, document, stored, since);
      return asSessionData<SessionData>(document);
    };
    this.#answer(load(), callback);
  }

  set(sid: string, session: SessionData, callback?: Callback<void>): void {
    const save = async (): Promise<void> => {
      const key = this.#keyOf(sid, "set");
      requireSession(session, "set");
      const request: unknown = Reflect.get(session, "req");
      const quiet =
        typeof request === "object" && request !== null && this.#context.responses.isEnding(request);
      await this.#save(key, session, quiet);
    };
    this.#answer(save(), callback);
  }

  override touch(sid: string, session: SessionData, callback?: Callback<void>): void {
    const touch = async (): Promise<void> => {
      const key = this.#keyOf(sid, "touch");
      requireSession(session, "touch");
      const { loaded, activity } = this.#context;
      const edit = loaded.edit(sid, session);
      // a changed `req.session.cookie` alone arrives as a touch, and so does what looks unchanged to express-session: an
      // update undone, or a save that failed
      if (edit && hasChanges(edit)) return this.#save(key, session, true);
      const expiresAt = loaded.baseOf(sid, session)?.stored.expiresAt ?? 0;
      const { fields, cookie } = heldBy(session);
      await activity.onRequest(key, { fields, cookie: withLife(cookie, Date.now()), expiresAt });
    };
    this.#answer(touch(), callback);
  }

  destroy(sid: string, callback?: Callback<void>): void {
    const end = async (): Promise<void> => {
      await this.#context.hub.end(this.#keyOf(sid, "destroy"), "destroyed");
    };
    this.#answer(end(), callback);
  }

  override regenerate(request: Request, callback: Callback<void>): void {
    const { hub, nameOf, loaded, responses } = this.#context;
    const replace = async (): Promise<void> => {
      const isNewId = loaded.unstored(request.session)?.isNewId;
      try {
        await hub.end(nameOf(request.sessionID), "replaced", responses.settled(request), isNewId);
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
      this.#context.loaded.generated(request.sessionID, request.session, this.#idsAreNew);
      this.#context.responses.watch(request);
    };
  }

  set generate(generate: Generate) {
    this.#generate = generate;
  }

  #keyOf(sid: unknown, method: string): SessionKey {
    requireSid(sid, method);
    return this.#context.nameOf(sid);
  }

  /** `quiet`: nobody asked for this save, so an ended session is no error to anybody. */
  async #save(key: SessionKey, session: object, quiet: boolean): Promise<void> {
    const { loaded, onConflict, onDiscard } = this.#context;
    const { sid } = key;
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
    const unstored = loaded.unstored(session);
    if (this.#isSetOver(key, session, held)) {
      await hub.end(key, "expired", undefined, unstored?.isNewId);
      return undefined;
    }
    if (unstored) {
      const created = await this.#create(key, session, held, unstored.since);
      if (created) return created;
    }
    const now = Date.now();
    const stored = loaded.baseOf(key.sid, session)?.stored;
    if (!stored) {
      const whole = { ...held, cookie: withLife(held.cookie, now) };
      return saves.saveWhole(key, whole, loaded.isHandedOut(key.sid));
    }
    const edit = begun ?? loaded.edit(key.sid, session); // none: it was stored for the first time meanwhile
    if (edit && (!quiet || hasChanges(edit))) {
      const saved = await saves.save(key, stored, { ...edit, cookie: withLife(edit.cookie, now) });
      if (edit !== begun) loaded.settled(key.sid, session, edit, saved.snapshot ?? undefined);
      return saved;
    }
    const touched = await activity.onRequest(key, { ...held, expiresAt: stored.expiresAt });
    return touched ? undefined : { snapshot: null, conflicts: [] };
  }

  /**
   * Whether the session is set so that it is over. What was made or loaded long ago is not: it is used at this moment. So
   * of those only a time counts that the application has put there. Cookies go by the system's time.
   */
  #isSetOver({ sid }: SessionKey, session: { readonly cookie?: unknown }, { cookie }: Held): boolean {
    const { loaded } = this.#context;
    if (loaded.unstored(session)) return lifeMs(cookie, 1) === 0;
    const stored = loaded.baseOf(sid, session)?.stored;
    const isOwnTime = !(session.cookie instanceof Cookie) && cookie.expires !== stored?.cookie.expires;
    return (!stored || isOwnTime) && isOver(cookie, Date.now());
  }

  /** Undefined if an update of the same request has stored the session meanwhile. */
  async #create(key: SessionKey, session: object, held: Held, since: Birth): Promise<Saved | undefined> {
    const { loaded, saves, hub, onCreate } = this.#context;
    onCreate(session);
    // What is stored under an id that `genid` gives again is overwritten in any case: no store need look for it.
    const snapshot = await saves.createNew(key, { ...held, isNewId: true }, since, (stored) => {
      loaded.created(key.sid, session, held, stored);
    });
    if (snapshot || hub.ends.has(key, since)) return { snapshot, conflicts: [] };
    if (loaded.baseOf(key.sid, session)) return undefined;
    const saved = await saves.overwrite(key, held); // `genid` has given an id again
    if (saved.snapshot) loaded.created(key.sid, session, held, saved.snapshot);
    return saved;
  }

  async #clear(): Promise<void> {
    await this.#context.hub.store.clear();
    await this.#context.hub.freshness.revalidateAll();
  }

  #answer<T>(outcome: Promise<T>, callback: Callback<T> | undefined): void {
    const { hub, store } = this.#context;
    const answer = (error: unknown, value?: T) => {
      // not within the promise chain: what the callback throws must not look like a failed store
      if (callback) process.nextTick(() => hub.tell(() => callback(error && asGiven(error, store), value)));
      else if (error) hub.report(error);
    };
    outcome.then((value) => answer(null, value), answer);
  }
}

function asSessionList(sessions: Parameters<typeof listed>[0]): SessionData[] {
  return asSessionData(listed(sessions));
}

/** The upstream types call a stored document by the name of what it becomes. */
function asSessionData<T>(stored: unknown): T {
  return stored as T;
}
