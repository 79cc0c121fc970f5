/**
 * What session objects held when they were loaded or last saved: the base of the three-way merge. Weak: a record is gone with
 * its object.
 *
 * ```ts
 * const loaded = records.of(sid, session);
 * const edit = loaded.edit();
 * if (edit) loaded.begun(edit); // until it has failed, a save that is under way counts as saved for the next one
 * if (edit) loaded.settled(edit, stored);
 * ```
 */
import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import { type Fields, fieldsOf, textAt } from "../data/fields.ts";
import { applyPatch, cookieChanged, diff } from "../data/merge.ts";
import type { Hub } from "../live/hub.ts";
import type { Version } from "../session/conditional-writes.ts";
import type { Edit, SessionContent } from "../session/saves.ts";
import type { Unstored } from "../session/updates.ts";
import type { CookieDocument, SessionDocument, StoredSession } from "../session-store.ts";

const handedOutMs = 600_000;
const maxHandedOut = 100_000;

/** What a session object held, and what was stored then. */
interface Base extends SessionContent {
  readonly sid: string;
  readonly stored: Version;
  /** The hub's mark of when it was stored: an end before it was another session's of this id. */
  readonly since: number;
}

/** How a session object came to be: loaded, generated and never stored, or by neither, which leaves nothing to compare with. */
interface Origin {
  readonly base?: Base | undefined;
  readonly unstored?: Unstored;
}

export class LoadedSessions {
  readonly #hub: Pick<Hub, "mark" | "ends">;
  readonly #clock: Clock;
  readonly #recordsByObject = new WeakMap<object, LoadedSession>();
  /** By the `cookie` of what `get` gave, which a copy shares, as in `set(sid, { ...session, n: 1 })`. */
  readonly #basesByCookie = new WeakMap<object, Base>();
  /** By id: what `get` gave and `express-session` has made no session object of, so that a copy of it may come back. */
  readonly #handedOut: ExpiringMap<{ readonly count: number; readonly expiresAt: number }>;

  constructor(hub: Pick<Hub, "mark" | "ends" | "clock">) {
    this.#hub = hub;
    this.#clock = hub.clock;
    this.#handedOut = new ExpiringMap(hub.clock, { maxEntries: maxHandedOut });
  }

  close(): void {
    this.#handedOut.clear();
  }

  /** The record of `session` as an object for `sid`: where it is another's there is nothing to compare it with. */
  of(sid: string, session: { readonly cookie?: unknown }): LoadedSession {
    const known = this.#recordsByObject.get(session);
    if (known?.sid === sid) return known;
    const base = known ? undefined : this.#baseOfCopied(session);
    return base?.sid === sid
      ? this.#add(sid, session, { base })
      : new LoadedSession(sid, session, this.#hub, {});
  }

  /** `document`, read after the mark `since`, is about to be handed out by `get`. */
  loaded(
    sid: string,
    document: SessionDocument,
    { expiresAt, revision }: StoredSession,
    since: number,
  ): void {
    const content = contentOf(document);
    const base = { ...content, sid, since, stored: { ...content, expiresAt, revision } };
    this.#add(sid, document, { base });
    this.#handOut(sid, 1);
    if (typeof document.cookie === "object" && document.cookie)
      this.#basesByCookie.set(document.cookie, base);
  }

  /** `session` has just been made of `document`: what it does not carry is not its to delete. */
  inflated(session: object, document: object): void {
    const base = this.#recordsByObject.get(document)?.base;
    if (!base) return;
    this.#add(base.sid, session, { base: { ...base, ...carried(session, base.fields) } });
    this.#handOut(base.sid, -1);
  }

  /** `session` has just been generated, and was never stored. `isNewId`: its id is no other session's. */
  generated(sid: string, session: object, isNewId: boolean): void {
    this.#add(sid, session, { unstored: { since: this.#hub.ends.birth(sid), isNewId } });
  }

  /** Whether `get` has given a session of this id of late to code of the application, which may copy it. */
  isHandedOut(sid: string): boolean {
    return this.#handedOut.get(sid) !== undefined;
  }

  #baseOfCopied({ cookie }: { readonly cookie?: unknown }): Base | undefined {
    return typeof cookie === "object" && cookie ? this.#basesByCookie.get(cookie) : undefined;
  }

  #add(sid: string, session: object, origin: Origin): LoadedSession {
    const record = new LoadedSession(sid, session, this.#hub, origin);
    this.#recordsByObject.set(session, record);
    return record;
  }

  #handOut(sid: string, change: 1 | -1): void {
    const count = (this.#handedOut.get(sid)?.count ?? 0) + change;
    if (count > 0) this.#handedOut.set(sid, { count, expiresAt: this.#clock.now() + handedOutMs });
    else this.#handedOut.delete(sid);
  }
}

/** The record of one session object. */
export class LoadedSession {
  readonly sid: string;
  readonly #session: object;
  readonly #hub: Pick<Hub, "mark">;
  #base: Base | undefined;
  #unstored: Unstored | undefined;
  #pending: readonly Edit[] = [];

  /** Of `session`, an object for `sid`. */
  constructor(sid: string, session: object, hub: Pick<Hub, "mark">, { base, unstored }: Origin) {
    this.sid = sid;
    this.#session = session;
    this.#hub = hub;
    this.#base = base;
    this.#unstored = unstored;
  }

  /** Undefined if there is nothing to compare the object with. */
  get base(): Base | undefined {
    return this.#base;
  }

  /** How the object was generated, if it has never been stored. */
  get unstored(): Unstored | undefined {
    return this.#unstored;
  }

  /** What the application did to the object since; undefined if there is nothing to compare it with. */
  edit(): Edit | undefined {
    if (!this.#base) return undefined;
    const base = this.#pending.reduce<SessionContent>(applied, this.#base);
    const { fields, cookie } = contentOf(this.#session);
    const patch = diff(base.fields, fields);
    return { base, patch, cookie, cookieChanged: cookieChanged(base.cookie, cookie) };
  }

  /** The edit is on its way to the store; `settled` is to follow. */
  begun(edit: Edit): void {
    this.#pending = [...this.#pending, edit];
  }

  /** The edit is stored, as part of `stored`; or, without that, it is still to be saved. */
  settled(edit: Edit, stored: Version | undefined): void {
    this.#pending = this.#pending.filter((one) => one !== edit);
    if (this.#base && stored) this.#store(applied(this.#base, edit), stored);
  }

  /** The object, which held `content`, has been stored for the first time. */
  created(content: SessionContent, stored: Version): void {
    this.#store(content, stored);
    this.#unstored = undefined;
  }

  /**
   * Brings what is stored now into the object, except where it has changes of its own that are not saved yet; those are
   * still compared with what they started from. `began` is what it held when it was not stored yet.
   */
  refresh(stored: Version, began: SessionContent | undefined): void {
    const before = this.#base ?? began;
    if (!before) return;
    const mine = fieldsOf(this.#session);
    const underWay = new Set(this.#pending.flatMap(({ patch }) => [...patch.keys()]));
    const fields = new Map<string, string>();
    for (const key of new Set([...before.fields.keys(), ...stored.fields.keys()])) {
      const [was, now] = [before.fields.get(key), stored.fields.get(key)];
      const isOwn = mine.get(key) !== was || underWay.has(key) || !isCarried(this.#session, key);
      const compared = isOwn ? was : now;
      if (compared !== undefined) fields.set(key, compared);
      if (isOwn) continue;
      if (now === undefined) Reflect.deleteProperty(this.#session, key);
      else if (now !== was) Reflect.set(this.#session, key, JSON.parse(now));
    }
    this.created({ fields, cookie: before.cookie }, stored);
  }

  #store({ fields, cookie }: SessionContent, stored: Version): void {
    this.#base = { sid: this.sid, fields, cookie, stored, since: this.#hub.mark() };
  }
}

function applied({ fields, cookie }: SessionContent, edit: Edit): SessionContent {
  return { fields: applyPatch(fields, edit.patch), cookie: edit.cookieChanged ? edit.cookie : cookie };
}

/** Whether there is anything to write. */
export function hasChanges({ patch, cookieChanged }: Edit): boolean {
  return patch.size > 0 || cookieChanged;
}

/** What `session` holds of `fields`, and its cookie. */
function carried(session: object, fields: Fields): SessionContent {
  const own = new Map([...fields].filter(([key]) => isCarried(session, key)));
  return { fields: own, cookie: cookieOf(session) };
}

/** `express-session` leaves out keys that Session.prototype has (`save`, `constructor`, …) and `id`, `req`. */
function isCarried(session: object, key: string): boolean {
  return !(key in Object.getPrototypeOf(session)) && key !== "id" && key !== "req";
}

/** What a session object holds at this moment. */
export function contentOf(session: object): SessionContent {
  return { fields: fieldsOf(session), cookie: cookieOf(session) };
}

/** The cookie of a session object as it would be stored. */
function cookieOf(session: { readonly cookie?: unknown }): CookieDocument {
  return JSON.parse(textAt(session, "cookie") ?? "{}");
}
