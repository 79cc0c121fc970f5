/**
 * How a session is kept in the field `session` of its document, as `connect-mongo` keeps it: as JSON text, as an object
 * (`stringify: false`), or as what the options `serialize` and `unserialize` make of it.
 *
 * The revision of a session is its content: the text itself, or the exact text of the object. A write that is based on a
 * revision asks the database to compare the field with it.
 */

import { unreadableError } from "../../base/errors.ts";
import type { Revision, SessionDocument } from "../../session-store.ts";
import { dateOf, documentText, isDocument, isRecord, jsonCopy, parseDocument } from "../common/documents.ts";
import { valueFrom, valueText, withDates } from "./values.ts";

export interface MongodbFormatOptions {
  readonly stringify: boolean;
  readonly serialize?: ((session: SessionDocument) => unknown) | undefined;
  readonly unserialize?: ((stored: unknown) => unknown) | undefined;
}

/** No text that a session is kept as begins like this. */
const objectMark = "\0object";

export class MongodbFormat {
  readonly #options: MongodbFormatOptions;

  constructor(options: MongodbFormatOptions) {
    this.#options = options;
  }

  /** `before` is the revision that the document replaces. Throws a `TypeError` where the document is not JSON. */
  stored(document: SessionDocument, before?: Revision): unknown {
    const text = documentText(document);
    const { serialize, unserialize, stringify } = this.#options;
    if (serialize) return serialize(parseDocument(text));
    if (stringify && !unserialize) return text;
    const dated = withDates(
      JSON.parse(text, wellFormed),
      before === undefined ? undefined : this.value(before),
    );
    return withCookieDate(dated);
  }

  document(stored: unknown): SessionDocument {
    const { unserialize } = this.#options;
    const value = unserialize
      ? unserialized(stored, unserialize)
      : typeof stored === "string"
        ? parsed(stored)
        : stored;
    const document = isRecord(value) ? jsonCopy(value) : undefined;
    if (isDocument(document)) return document;
    throw unreadableError(
      "what is not kept as connect-mongo keeps it, as JSON text or an object. If connect-mongo has encrypted it by crypto " +
        "or cryptoAdapter, turn these off, and let the encrypted sessions expire, before you change over",
    );
  }

  /** Throws `SESSION_UNREADABLE` for an object that holds more than JSON and dates. */
  revision(stored: unknown): string {
    return typeof stored === "string" ? stored : objectMark + valueText(stored);
  }

  /** What the field holds at this revision. */
  value(revision: Revision): unknown {
    const text = String(revision);
    if (!text.startsWith(objectMark)) return text;
    const encoded = parsed(text.slice(objectMark.length));
    return encoded === undefined ? text : valueFrom(encoded);
  }

  /** A session of nobody, to put in the place of one that is over. Not for `serialize`, which may expect somebody's. */
  get empty(): unknown {
    const { serialize, unserialize, stringify } = this.#options;
    const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
    return stringify && !serialize && !unserialize ? documentText({ cookie }) : { cookie };
  }
}

/** BSON has no lone surrogates: the driver would replace them, and the revision would not be that of what is stored. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** `express-session` hands stores a date there, which is what `connect-mongo` keeps. */
function withCookieDate(value: unknown): unknown {
  if (!isDocument(value) || typeof value.cookie.expires !== "string") return value;
  return {
    ...value,
    cookie: { ...value.cookie, expires: dateOf(value.cookie.expires) ?? value.cookie.expires },
  };
}

function unserialized(stored: unknown, unserialize: (stored: unknown) => unknown): unknown {
  try {
    return unserialize(stored);
  } catch (cause) {
    throw unreadableError("what `unserialize` can't read", cause);
  }
}

/** Undefined if it is not JSON. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // told by the caller
  }
}
