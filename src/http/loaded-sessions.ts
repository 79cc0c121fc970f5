import type { Version } from "../core/conditional-writes.ts";
import { type Fields, fieldsOf } from "../core/fields.ts";
import { applyPatch, cookieChanged, diff } from "../core/merge.ts";
import type { Edit, Held } from "../core/saves.ts";
import type { CookieDocument, StoredSession } from "../core/session-store.ts";

/** What a session object held when it was loaded or last saved, and what was stored then. */
interface Base extends Held {
  readonly sid: string;
  readonly stored: Version;
}

/** Carries the base along when an application copies what `get` gave it, as in `set(sid, { ...session, n: 1 })`. */
const baseOfCopy = Symbol("socket-session base");

/**
 * Remembers of each session object what it held when it was loaded or last saved: the base of the three-way merge.
 * Weak: gone with the object.
 */
export class LoadedSessions {
  readonly #bases = new WeakMap<object, Base>();
  readonly #unstored = new WeakMap<object, number>();

  /** `document` is about to be handed out by `get`. */
  loaded(sid: string, document: object, { expiresAt, revision }: StoredSession): void {
    const held = heldBy(document);
    const base = { ...held, sid, stored: { ...held, expiresAt, revision } };
    this.#bases.set(document, base);
    Object.defineProperty(document, baseOfCopy, { value: base, enumerable: true, configurable: true });
  }

  /** `session` has just been made of `document`: what it does not carry is not its to delete. */
  inflated(session: object, document: object): void {
    const base = this.#bases.get(document);
    if (base) this.#bases.set(session, { ...base, ...carried(session, base.fields) });
  }

  /** `session` has just been generated, at the mark `since`, and was never stored. */
  generated(session: object, since: number): void {
    this.#unstored.set(session, since);
  }

  /** When `session` was generated, if it has never been stored. */
  unstoredSince(session: object): number | undefined {
    return this.#unstored.get(session);
  }

  /** What was stored when `session`, an object for `sid`, was loaded or last saved. */
  storedOf(sid: string, session: object): Version | undefined {
    return this.#baseOf(sid, session)?.stored;
  }

  /** What the application did to `session` since; undefined if there is nothing to compare it with. */
  edit(sid: string, session: object): Edit | undefined {
    const base = this.#baseOf(sid, session);
    if (!base) return undefined;
    const { fields, cookie } = heldBy(session);
    const patch = diff(base.fields, fields);
    return { base, patch, cookie, cookieChanged: cookieChanged(base.cookie, cookie) };
  }

  /** The edit is on its way to the store: the next one is compared with what the session holds now. */
  begun(sid: string, session: object, edit: Edit): void {
    const base = this.#baseOf(sid, session);
    if (base)
      this.#bases.set(session, { ...base, fields: applyPatch(base.fields, edit.patch), cookie: edit.cookie });
  }

  /** The edit did not get there: it is still to be saved. */
  failed(sid: string, session: object, edit: Edit): void {
    const base = this.#baseOf(sid, session);
    if (!base) return;
    const before = new Map([...edit.patch.keys()].map((key) => [key, edit.base.fields.get(key)]));
    const { cookie } = edit.base;
    this.#bases.set(session, { ...base, fields: applyPatch(base.fields, before), cookie });
  }

  /** `session` is part of what is `stored` now; `held` is what it held when it was stored for the first time. */
  saved(sid: string, session: object, stored: Version, held?: Held): void {
    const base = this.#baseOf(sid, session) ?? held;
    if (base) this.#bases.set(session, { fields: base.fields, cookie: base.cookie, sid, stored });
    this.#unstored.delete(session);
  }

  /**
   * Brings what is stored now into `session`, except where it has changes of its own that are not saved yet; those are
   * still compared with what they started from. `began` is what it held when it was not stored yet.
   */
  refresh(sid: string, session: object, stored: Version, began: Held | undefined): void {
    const before = this.#baseOf(sid, session) ?? began;
    if (!before) return;
    const mine = fieldsOf(session);
    const fields = new Map<string, string>();
    for (const key of new Set([...before.fields.keys(), ...stored.fields.keys()])) {
      const [was, now] = [before.fields.get(key), stored.fields.get(key)];
      const isOwn = mine.get(key) !== was || !isCarried(session, key);
      const compared = isOwn ? was : now;
      if (compared !== undefined) fields.set(key, compared);
      if (isOwn) continue;
      if (now === undefined) Reflect.deleteProperty(session, key);
      else if (now !== was) Reflect.set(session, key, JSON.parse(now));
    }
    this.#bases.set(session, { fields, cookie: before.cookie, sid, stored });
    this.#unstored.delete(session);
  }

  #baseOf(sid: string, session: object): Base | undefined {
    const base = this.#bases.get(session) ?? (Reflect.get(session, baseOfCopy) as Base | undefined);
    return base?.sid === sid ? base : undefined;
  }
}

/** What `session` holds of `fields`, and its cookie. */
function carried(session: object, fields: Fields): Held {
  const own = new Map([...fields].filter(([key]) => isCarried(session, key)));
  return { fields: own, cookie: cookieOf(session) };
}

/** `express-session` leaves out keys that Session.prototype has (`save`, `constructor`, …) and `id`, `req`. */
function isCarried(session: object, key: string): boolean {
  return !(key in Object.getPrototypeOf(session)) && key !== "id" && key !== "req";
}

/** What a session object holds at this moment. */
export function heldBy(session: object): Held {
  return { fields: fieldsOf(session), cookie: cookieOf(session) };
}

/** The cookie of a session object as it would be stored. */
export function cookieOf(session: { readonly cookie?: unknown }): CookieDocument {
  return JSON.parse(JSON.stringify(session.cookie ?? {}));
}
