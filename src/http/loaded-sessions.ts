/**
 * Records the content of session objects when they were loaded or last saved: the base of the three-way merge. A record
 * is collected with its object.
 *
 * ```ts
 * const loaded = records.of(sid, session);
 * const edit = loaded.edit();
 * if (edit) loaded.begun(edit); // unless it fails, a save under way counts as saved for the next one
 * if (edit) loaded.settled(edit, stored);
 * ```
 */
import { ExpiringMap } from "../base/expiring-map.ts";
import { HiddenProperty } from "../base/hidden-property.ts";
import { type Fields, fieldsOf } from "../data/fields.ts";
import { applyPatch, cookieChanged, diff } from "../data/merge.ts";
import { contentOf, cookieOf, type SessionContent, type Snapshot, snapshotOf } from "../data/snapshot.ts";
import type { Unstored } from "../live/ends.ts";
import type { Hub } from "../live/hub.ts";
import type { Edit } from "../session/saves.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";

const handedOutMs = 600_000;
const maxHandedOut = 100_000;

/** The content of a session object, and the stored version at that time. */
interface Base extends SessionContent {
  readonly key: SessionKey;
  readonly stored: Snapshot;
  /** The hub's mark when it was stored: an earlier end was of another session with this id. */
  readonly since: number;
}

/** A session object was loaded, or generated and never stored. With neither there is nothing to compare it with. */
interface Origin {
  readonly base?: Base | undefined;
  readonly unstored?: Unstored;
  /** Whether `express-session` compares the object's data with the base. */
  readonly isCompared?: boolean;
}

export class LoadedSessions {
  readonly #hub: Pick<Hub, "mark" | "ends" | "clock">;
  readonly #nameOf: (sid: string) => SessionKey;
  readonly #records = new HiddenProperty<LoadedSession>("loaded");
  /** Of the `cookie` object that `get` returned: a copy shares it, as in `set(sid, { ...session, n: 1 })`. */
  readonly #bases = new HiddenProperty<Base>("base");
  /**
   * By id: the results of `get` that `express-session` has not made a session object of. A copy of one may be saved.
   */
  readonly #handedOut: ExpiringMap<{ readonly count: number; readonly expiresAt: number }>;

  constructor(hub: Pick<Hub, "mark" | "ends" | "clock">, nameOf: (sid: string) => SessionKey) {
    this.#hub = hub;
    this.#nameOf = nameOf;
    this.#handedOut = new ExpiringMap(hub.clock, { maxEntries: maxHandedOut });
  }

  close(): void {
    this.#handedOut.clear();
  }

  /** The record of `session` as an object for `sid`. An object of another id has nothing to be compared with. */
  of(sid: string, session: { readonly cookie?: unknown }): LoadedSession {
    const known = this.#records.get(session);
    if (known?.key.sid === sid) return known;
    const base = known ? undefined : this.#baseOfCopied(session);
    return base?.key.sid === sid
      ? this.#add(base.key, session, { base })
      : new LoadedSession(this.#nameOf(sid), session, this.#hub, {});
  }

  /** `get` is about to return the document of `found`, which was read after the mark `since`. */
  loaded(key: SessionKey, found: StoredSession, since: number): void {
    const { document } = found;
    const stored = snapshotOf(found);
    const base = { key, since, stored, fields: stored.fields, cookie: stored.cookie };
    this.#add(key, document, { base });
    this.#handOut(key.sid, 1);
    if (typeof document.cookie === "object" && document.cookie) this.#bases.set(document.cookie, base);
  }

  /**
   * `session` was just made of `document`. It can't delete keys that it does not carry. `isFirst`: of its request;
   * `express-session` goes on comparing with that after a `reload()`.
   */
  inflated(session: object, document: object, isFirst = false): void {
    const base = this.#records.get(document)?.base;
    if (!base) return;
    const own = { ...base, ...carried(session, base.fields) };
    this.#add(base.key, session, { base: own, isCompared: isFirst });
    this.#handOut(base.key.sid, -1);
  }

  /** `session` was just generated, and was never stored. `isNewId`: no other session has its id. */
  generated(sid: string, session: object, isNewId: boolean): void {
    this.#add(this.#nameOf(sid), session, { unstored: { since: this.#hub.ends.birth(sid), isNewId } });
  }

  /** Whether `get` recently gave a session with this id to application code, which may copy it. */
  isHandedOut(sid: string): boolean {
    return this.#handedOut.get(sid) !== undefined;
  }

  #baseOfCopied({ cookie }: { readonly cookie?: unknown }): Base | undefined {
    return typeof cookie === "object" && cookie ? this.#bases.get(cookie) : undefined;
  }

  #add(key: SessionKey, session: object, origin: Origin): LoadedSession {
    const record = new LoadedSession(key, session, this.#hub, origin);
    this.#records.set(session, record);
    return record;
  }

  #handOut(sid: string, change: 1 | -1): void {
    const count = (this.#handedOut.get(sid)?.count ?? 0) + change;
    const expiresAt = this.#hub.clock.now() + handedOutMs;
    if (count > 0) this.#handedOut.set(sid, { count, expiresAt });
    else this.#handedOut.delete(sid);
  }
}

/** The record of one session object. */
export class LoadedSession {
  readonly key: SessionKey;
  readonly #session: object;
  readonly #hub: Pick<Hub, "mark">;
  #base: Base | undefined;
  #unstored: Unstored | undefined;
  #pending: readonly Edit[] = [];
  #isCompared: boolean;

  constructor(
    key: SessionKey,
    session: object,
    hub: Pick<Hub, "mark">,
    { base, unstored, isCompared = false }: Origin,
  ) {
    this.key = key;
    this.#session = session;
    this.#hub = hub;
    this.#base = base;
    this.#unstored = unstored;
    this.#isCompared = isCompared;
  }

  /** Undefined if the object can't be compared with anything. */
  get base(): Base | undefined {
    return this.#base;
  }

  /** How the object was generated, if the session was never stored. */
  get unstored(): Unstored | undefined {
    return this.#unstored;
  }

  /**
   * The content of the object, of which `express-session` has just found that the data are still what it loaded. That says
   * nothing once the object was refreshed, or saved: the base is another then.
   */
  contentIfUnchanged(): SessionContent {
    const base = this.#isCompared ? this.#base : undefined;
    return base ? { fields: base.fields, cookie: cookieOf(this.#session) } : contentOf(this.#session);
  }

  /** The changes that the application made up to `content`; undefined if it can't be compared with anything. */
  edit({ fields, cookie } = contentOf(this.#session)): Edit | undefined {
    if (!this.#base) return undefined;
    const base = this.#pending.reduce<SessionContent>(applied, this.#base);
    const patch = diff(base.fields, fields);
    return { base, patch, cookie, cookieChanged: cookieChanged(base.cookie, cookie) };
  }

  /** The edit is being saved; `settled` must follow. */
  begun(edit: Edit): void {
    this.#isCompared = false;
    this.#pending = [...this.#pending, edit];
  }

  /** The edit was saved as part of `stored`. If `stored` is undefined, it still has to be saved. */
  settled(edit: Edit, stored: Snapshot | undefined): void {
    this.#pending = this.#pending.filter((one) => one !== edit);
    if (this.#base && stored) this.#store(applied(this.#base, edit), stored);
  }

  /** The object's `content` was stored for the first time. */
  created(content: SessionContent, stored: Snapshot): void {
    this.#store(content, stored);
    this.#unstored = undefined;
  }

  /**
   * Copies the stored version into the object, except for keys with unsaved changes: these are still compared with
   * their old base. `began`: the object's content while the session was not stored.
   */
  refresh(stored: Snapshot, began: SessionContent | undefined): void {
    const before = this.#base ?? began ?? this.#generated();
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

  /** The content that an unstored object was made with: its id may have turned out to be that of a stored session. */
  #generated(): SessionContent | undefined {
    return this.#unstored && { fields: new Map(), cookie: cookieOf(this.#session) };
  }

  #store({ fields, cookie }: SessionContent, stored: Snapshot): void {
    this.#isCompared = false;
    this.#base = { key: this.key, fields, cookie, stored, since: this.#hub.mark() };
  }
}

function applied({ fields, cookie }: SessionContent, edit: Edit): SessionContent {
  return { fields: applyPatch(fields, edit.patch), cookie: edit.cookieChanged ? edit.cookie : cookie };
}

/** Whether there is anything to write. */
export function hasChanges({ patch, cookieChanged }: Edit): boolean {
  return patch.size > 0 || cookieChanged;
}

/** The part of `fields` that `session` carries, and its cookie. */
function carried(session: object, fields: Fields): SessionContent {
  const left = [...fields.keys()].filter((key) => !isCarried(session, key));
  const own = left.length > 0 ? applyPatch(fields, new Map(left.map((key) => [key, undefined]))) : fields;
  return { fields: own, cookie: cookieOf(session) };
}

/** `express-session` leaves out the keys of Session.prototype (`save`, `constructor`, …) and `id` and `req`. */
export function isCarried(session: object, key: string): boolean {
  return !(key in Object.getPrototypeOf(session)) && key !== "id" && key !== "req";
}
