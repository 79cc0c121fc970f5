import { startKey, startOf } from "./absolute-life.ts";
import { type Fields, fieldsOf, type SessionValues, textAt, valuesOf } from "./fields.ts";
import { readOnlyData } from "./read-only-data.ts";
import type { CookieDocument, Revision, StoredSession } from "../session-store.ts";

/** The data and the cookie of a session. */
export interface SessionContent {
  readonly fields: Fields;
  readonly cookie: CookieDocument;
  /** When its absolute life time began, in milliseconds since the epoch. Undefined: it has not, or that is the store's to say. */
  readonly startedAt?: number | undefined;
}

/** One version of a session, as it was read or written. Immutable, so all observers share it. */
export class Snapshot implements SessionContent {
  readonly fields: Fields;
  readonly cookie: CookieDocument;
  readonly startedAt: number | undefined;
  readonly expiresAt: number;
  readonly revision: Revision;
  #values: SessionValues | undefined;
  #data: Readonly<SessionValues> | undefined;

  /** `values`: those of `fields`, parsed, if nothing else refers to them. */
  constructor(content: SessionContent, expiresAt: number, revision: Revision, values?: SessionValues) {
    this.fields = content.fields;
    this.cookie = content.cookie;
    this.startedAt = content.startedAt;
    this.expiresAt = expiresAt;
    this.revision = revision;
    this.#values = values;
  }

  /** Deeply frozen, without `cookie`. Made when it is first asked for: most requests compare the fields, and need none. */
  get data(): Readonly<SessionValues> {
    this.#data ??= readOnlyData(deepFreeze(this.#values ?? valuesOf(this.fields)));
    this.#values = undefined;
    return this.#data;
  }

  /** The same version with another deadline. */
  until(expiresAt: number): Snapshot {
    const extended = new Snapshot(this, expiresAt, this.revision, this.#values);
    extended.#data = this.#data;
    return extended;
  }
}

/** Keeps no part of `document`. */
export function snapshotOf({ document, expiresAt, revision }: StoredSession): Snapshot {
  return new Snapshot({ ...contentOf(document), startedAt: startOf(document) }, expiresAt, revision);
}

/** As `snapshotOf`, and takes ownership of `document`. */
export function snapshotFrom({ document, expiresAt, revision }: StoredSession): Snapshot {
  const { cookie, [startKey]: _start, ...values } = document;
  const content = { fields: fieldsOf(values), cookie: cookie ?? {}, startedAt: startOf(document) };
  return new Snapshot(content, expiresAt, revision, values);
}

/** The current content of a session object or document. Throws `SESSION_INVALID_DATA`. */
export function contentOf(session: object): SessionContent {
  return { fields: fieldsOf(session), cookie: cookieOf(session) };
}

/** The cookie of a session object as it would be stored. Throws `SESSION_INVALID_DATA`. */
export function cookieOf(session: object): CookieDocument {
  return flatCookieOf(session) ?? JSON.parse(textAt(session, "cookie") ?? "{}");
}

/** The same, without JSON, of which a request would spend a tenth of its time here. Undefined unless the cookie is flat, as most are. */
function flatCookieOf(session: object): CookieDocument | undefined {
  try {
    const cookie: unknown = Reflect.get(session, "cookie");
    const json: unknown = typeof Object(cookie).toJSON === "function" ? Object(cookie).toJSON("") : cookie;
    if (typeof json !== "object" || json === null || Array.isArray(json)) return undefined;
    const copy: CookieDocument = {};
    for (const key of Object.keys(json)) {
      const value: unknown = Reflect.get(json, key);
      const held = value instanceof Date ? value.toJSON(key) : value;
      if (held === undefined) continue;
      if (!isFlat(held) || key === "__proto__") return undefined;
      copy[key] = held;
    }
    return copy;
  } catch {
    return undefined; // JSON meets the same error
  }
}

function isFlat(value: unknown): boolean {
  return value === null || typeof value === "string" || typeof value === "boolean" || Number.isFinite(value);
}

/** Freezes JSON data at every level, without recursion. */
export function deepFreeze<T>(value: T): T {
  const open: unknown[] = [value];
  while (open.length > 0) {
    const one = open.pop();
    if (typeof one !== "object" || one === null || Object.isFrozen(one)) continue;
    for (const child of Object.values(Object.freeze(one))) open.push(child);
  }
  return value;
}
