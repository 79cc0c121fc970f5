import type { Clock } from "../base/clock.ts";
import { ExpiringMap } from "../base/expiring-map.ts";
import { type Fields, fieldsOf, textAt } from "../data/fields.ts";
import { applyPatch, cookieChanged, diff } from "../data/merge.ts";
import type { Hub } from "../live/hub.ts";
import type { Version } from "../session/conditional-writes.ts";
import type { Edit, Held } from "../session/saves.ts";
import type { Unstored } from "../session/updates.ts";
import type { CookieDocument, SessionDocument, StoredSession } from "../session-store.ts";

const handedOutMs = 600_000;
const maxHandedOut = 100_000;

/** What a session object held when it was loaded or last saved, and what was stored then. */
interface Base extends Held {
  readonly sid: string;
  readonly stored: Version;
  /** The hub's mark of when it was stored: an end before it was another session's of this id. */
  readonly since: number;
}

/**
 * Remembers of each session object what it held when it was loaded or last saved: the base of the three-way merge. A
 * save that is under way counts as saved for the next one, until it has failed. Weak: gone with the object.
 */
export class LoadedSessions {
  readonly #hub: Pick<Hub, "mark" | "ends">;
  readonly #clock: Clock;
  readonly #bases = new WeakMap<object, Base>();
  /** By the `cookie` of what `get` gave, which a copy shares, as in `set(sid, { ...session, n: 1 })`. */
  readonly #basesByCookie = new WeakMap<object, Base>();
  readonly #pending = new WeakMap<object, readonly Edit[]>();
  readonly #unstored = new WeakMap<object, Unstored>();

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

  /** `document`, read after the mark `since`, is about to be handed out by `get`. */
  loaded(
    sid: string,
    document: SessionDocument,
    { expiresAt, revision }: StoredSession,
    since: number,
  ): void {
    const held = heldBy(document);
    const base = { ...held, sid, since, stored: { ...held, expiresAt, revision } };
    this.#bases.set(document, base);
    this.#handOut(sid, 1);
    if (typeof document.cookie === "object" && document.cookie)
      this.#basesByCookie.set(document.cookie, base);
  }

  /** `session` has just been made of `document`: what it does not carry is not its to delete. */
  inflated(session: object, document: object): void {
    const base = this.#bases.get(document);
    if (!base) return;
    this.#bases.set(session, { ...base, ...carried(session, base.fields) });
    this.#handOut(base.sid, -1);
  }

  /** `session` has just been generated, and was never stored. */
  generated(sid: string, session: object, isNewId: boolean): void {
    this.#unstored.set(session, { since: this.#hub.ends.birth(sid), isNewId });
  }

  /** Whether `get` has given a session of this id of late to code of the application, which may copy it. */
  isHandedOut(sid: string): boolean {
    return this.#handedOut.get(sid) !== undefined;
  }

  #handOut(sid: string, change: 1 | -1): void {
    const count = (this.#handedOut.get(sid)?.count ?? 0) + change;
    if (count > 0) this.#handedOut.set(sid, { count, expiresAt: this.#clock.now() + handedOutMs });
    else this.#handedOut.delete(sid);
  }

  /** How `session` was generated, if it has never been stored. */
  unstored(session: object): Unstored | undefined {
    return this.#unstored.get(session);
  }

  /** What was stored, and when, as `session`, an object for `sid`, was loaded or last saved. */
  baseOf(sid: string, session: object): Pick<Base, "stored" | "since"> | undefined {
    return this.#baseOf(sid, session);
  }

  /** What the application did to `session` since; undefined if there is nothing to compare it with. */
  edit(sid: string, session: object): Edit | undefined {
    const base = this.#baseOf(sid, session);
    if (!base) return undefined;
    const compared = this.#withPending(session, base);
    const { fields, cookie } = heldBy(session);
    const patch = diff(compared.fields, fields);
    return { base: compared, patch, cookie, cookieChanged: cookieChanged(compared.cookie, cookie) };
  }

  /** The edit is on its way to the store; `settled` is to follow. */
  begun(session: object, edit: Edit): void {
    this.#pending.set(session, [...(this.#pending.get(session) ?? []), edit]);
  }

  /** The edit is stored, as part of `stored`; or, without that, it is still to be saved. */
  settled(sid: string, session: object, edit: Edit, stored: Version | undefined): void {
    const base = this.#baseOf(sid, session);
    const pending = this.#pending.get(session)?.filter((one) => one !== edit) ?? [];
    this.#pending.set(session, pending);
    if (base && stored)
      this.#bases.set(session, { ...this.#applied(base, edit), stored, since: this.#hub.mark() });
  }

  /** `session`, which held `held`, has been stored for the first time. */
  created(sid: string, session: object, held: Held, stored: Version): void {
    this.#bases.set(session, { ...held, sid, stored, since: this.#hub.mark() });
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
    const underWay = new Set((this.#pending.get(session) ?? []).flatMap(({ patch }) => [...patch.keys()]));
    const fields = new Map<string, string>();
    for (const key of new Set([...before.fields.keys(), ...stored.fields.keys()])) {
      const [was, now] = [before.fields.get(key), stored.fields.get(key)];
      const isOwn = mine.get(key) !== was || underWay.has(key) || !isCarried(session, key);
      const compared = isOwn ? was : now;
      if (compared !== undefined) fields.set(key, compared);
      if (isOwn) continue;
      if (now === undefined) Reflect.deleteProperty(session, key);
      else if (now !== was) Reflect.set(session, key, JSON.parse(now));
    }
    this.#bases.set(session, { fields, cookie: before.cookie, sid, stored, since: this.#hub.mark() });
    this.#unstored.delete(session);
  }

  #baseOf(sid: string, session: { readonly cookie?: unknown }): Base | undefined {
    const { cookie } = session;
    const ofCopy = typeof cookie === "object" && cookie ? this.#basesByCookie.get(cookie) : undefined;
    const base = this.#bases.get(session) ?? ofCopy;
    return base?.sid === sid ? base : undefined;
  }

  #withPending(session: object, base: Held): Held {
    return (this.#pending.get(session) ?? []).reduce<Held>((held, edit) => this.#applied(held, edit), base);
  }

  #applied<H extends Held>(held: H, { patch, cookie, cookieChanged: isChanged }: Edit): H {
    return { ...held, fields: applyPatch(held.fields, patch), cookie: isChanged ? cookie : held.cookie };
  }
}

/** Whether there is anything to write. */
export function hasChanges({ patch, cookieChanged }: Edit): boolean {
  return patch.size > 0 || cookieChanged;
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
function cookieOf(session: { readonly cookie?: unknown }): CookieDocument {
  return JSON.parse(textAt(session, "cookie") ?? "{}");
}
