/**
 * Saves the session objects that `express-session` passes. The changes since the load are merged into the stored
 * session; a new session is created; a session whose cookie is set to be over ends.
 */
import { Cookie } from "express-session";
import { SessionEnded } from "../base/errors.ts";
import { KeyedLock } from "../base/keyed-lock.ts";
import { isOver, lifeMs, withLife } from "../data/life-time.ts";
import { contentOf, type SessionContent } from "../data/snapshot.ts";
import type { Birth } from "../live/ends.ts";
import type { Edit, Saved } from "../session/saves.ts";
import type { HttpContext } from "./http-context.ts";
import { hasChanges, type LoadedSession } from "./loaded-sessions.ts";

interface Save {
  readonly session: object;
  readonly loaded: LoadedSession;
  readonly content: SessionContent;
  readonly edit: Edit | undefined;
  /** Saved by `express-session` at the end of the response: an ended session is then not an error. */
  readonly implicit: boolean;
}

export class StoreSaves {
  readonly #context: HttpContext;
  /**
   * Runs the saves of one session one after another: each starts from what the previous one stored, and a load waits
   * for all of them. The session's lock is not enough: a save takes it twice if an update has just stored the session
   * that it was to create, and a load could slip in between.
   */
  readonly #queue = new KeyedLock();

  constructor(context: HttpContext) {
    this.#context = context;
  }

  /** Resolves once the current saves are done; undefined if there are none. */
  underWay(sid: string): Promise<void> | undefined {
    return this.#queue.settled(sid);
  }

  /** Throws `SessionEnded` if the session has ended, unless the save is implicit. */
  async save(loaded: LoadedSession, session: object, implicit: boolean): Promise<void> {
    const { onConflict, onDiscard } = this.#context;
    const { key } = loaded;
    const content = contentOf(session); // taken now: an update may change the session before this save's turn
    const edit = loaded.edit(content);
    if (edit) loaded.begun(edit);
    let saved: Saved | undefined;
    try {
      saved = await this.#queue.run(key.sid, () => this.#write({ session, loaded, content, edit, implicit }));
    } finally {
      if (edit) loaded.settled(edit, saved?.snapshot ?? undefined);
    }
    if (saved && !saved.snapshot) {
      onDiscard(key);
      if (!implicit) throw new SessionEnded(key.publicId);
    }
    if (saved && saved.conflicts.length > 0) onConflict(key, saved.conflicts);
  }

  /** Undefined if no touch is due. */
  touch(loaded: LoadedSession, session: object): Promise<void> | undefined {
    const { fields, cookie } = loaded.contentIfUnchanged();
    const edit = loaded.edit({ fields, cookie });
    // A change of `req.session.cookie` alone arrives as a touch. So does a change that express-session takes for none:
    // an update undone, or a retried save that failed.
    if (edit && hasChanges(edit)) return this.save(loaded, session, true);
    const { expiresAt = 0, startedAt } = loaded.base?.stored ?? {};
    const stored = edit?.base.cookie ?? cookie; // the life that was stored: express-session sometimes loses a millisecond
    const used = { fields, cookie: withLife(stored, Date.now()), startedAt, expiresAt };
    const touched = this.#context.activity.onRequest(loaded.key, used);
    return touched?.then(() => {});
  }

  /** Undefined if there is nothing to write and the session is not over. */
  async #write(save: Save): Promise<Saved | undefined> {
    const { saves, activity, hub } = this.#context;
    const { loaded, content, implicit } = save;
    const { key, unstored } = loaded;
    if (isSetOver(save)) {
      await hub.end(key, "expired", { isNewId: unstored?.isNewId });
      return undefined;
    }
    if (unstored) {
      const created = await this.#create(save, unstored.since);
      if (created) return created;
    }
    const now = Date.now();
    const stored = loaded.base?.stored;
    if (!stored) {
      const whole = { ...content, cookie: withLife(content.cookie, now) };
      return saves.saveWhole(key, whole, this.#context.loaded.isHandedOut(key.sid));
    }
    // undefined: the session was first stored after this save was requested
    const edit = save.edit ?? loaded.edit();
    if (edit && (!implicit || hasChanges(edit))) {
      const saved = await saves.save(key, stored, { ...edit, cookie: withLife(edit.cookie, now) });
      if (edit !== save.edit) loaded.settled(edit, saved.snapshot ?? undefined);
      return saved;
    }
    const touched = await activity.onRequest(key, {
      ...content,
      startedAt: stored.startedAt,
      expiresAt: stored.expiresAt,
    });
    return touched === false ? { snapshot: null, conflicts: [] } : undefined;
  }

  /** Undefined if an update of the same request has just stored the session. */
  async #create({ session, loaded, content }: Save, since: Birth): Promise<Saved | undefined> {
    const { saves, hub, onCreate } = this.#context;
    const { key } = loaded;
    onCreate(session);
    // A session whose id `genid` returned again is overwritten anyway, so the store need not look for one.
    const snapshot = await saves.createNew(key, { ...content, isNewId: true }, since, (stored) => {
      loaded.created(content, stored);
    });
    if (snapshot || hub.ends.has(key, since)) return { snapshot, conflicts: [] };
    if (loaded.base) return undefined;
    const saved = await saves.overwrite(key, content); // `genid` returned the id of a stored session
    if (saved.snapshot) loaded.created(content, saved.snapshot);
    return saved;
  }
}

/**
 * Whether the application set the session's cookie to be over. A session made or loaded long ago is in use now, so for
 * these only a time that the application set counts. Cookies use the system's clock.
 */
function isSetOver({ session, loaded, content: { cookie } }: Save): boolean {
  if (loaded.unstored) return lifeMs(cookie, 1) === 0;
  const stored = loaded.base?.stored;
  const isOwnCookie = !(Reflect.get(session, "cookie") instanceof Cookie);
  const isOwnTime = isOwnCookie && cookie.expires !== stored?.cookie.expires;
  return (!stored || isOwnTime) && isOver(cookie, Date.now());
}
