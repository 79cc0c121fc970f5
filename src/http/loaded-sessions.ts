import type { Version } from "../core/conditional-writes.ts";
import { type Fields, fieldsOf } from "../core/fields.ts";
import type { Base, Held } from "../core/saves.ts";
import type { CookieDocument, StoredSession } from "../core/session-store.ts";

/**
 * Remembers of each session object what it held when it was loaded or last saved: the base of the three-way merge.
 * Weak: gone with the object.
 */
export class LoadedSessions {
  readonly #bases = new WeakMap<object, Base>();
  readonly #unstored = new WeakSet<object>();

  /** `document` is about to be handed out by `get`. */
  loaded(document: object, { expiresAt, revision }: StoredSession): void {
    const held = heldBy(document);
    this.#bases.set(document, { ...held, stored: { ...held, expiresAt, revision } });
  }

  /** `session` has just been made of a document with this base: what it does not carry is not its to delete. */
  inflated(session: object, base: Base): void {
    this.#bases.set(session, { ...carried(session, base.fields), stored: base.stored });
  }

  /** `session` has just been generated and was never stored. */
  generated(session: object): void {
    this.#unstored.add(session);
  }

  /** `session`, holding `held`, went into what is now stored. */
  saved(session: object, held: Held, stored: Version): void {
    this.#bases.set(session, { ...held, stored });
    this.#unstored.delete(session);
  }

  baseOf(session: object): Base | undefined {
    return this.#bases.get(session);
  }

  isUnstored(session: object): boolean {
    return this.#unstored.has(session);
  }

  /** Brings what is stored now into `session`, except where it has changes of its own that are not saved yet. */
  refresh(session: object, stored: Version): void {
    const before = this.#bases.get(session)?.fields ?? new Map<string, string>();
    const mine = fieldsOf(session);
    for (const key of new Set([...before.keys(), ...stored.fields.keys()])) {
      if (mine.get(key) !== before.get(key) || !isCarried(session, key)) continue;
      const text = stored.fields.get(key);
      if (text === undefined) Reflect.deleteProperty(session, key);
      else if (text !== mine.get(key)) Reflect.set(session, key, JSON.parse(text));
    }
    this.saved(session, carried(session, stored.fields), stored);
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
