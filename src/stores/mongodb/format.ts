/**
 * The format of a session in the field `session` of its document, as `connect-mongo` keeps it: JSON text, an object
 * (`stringify: false`), or the result of the option `serialize`, which `unserialize` reads.
 *
 * The revision of a session is its content: the text itself, or the exact text of the object. For a conditional write the
 * database compares the field with the revision.
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

/** No stored text begins like this. */
const objectMark = "\0object";

export class MongodbFormat {
  readonly #options: MongodbFormatOptions;

  constructor(options: MongodbFormatOptions) {
    this.#options = options;
  }

  /** `before` is the revision that the document replaces. Throws a `TypeError` if the document is not JSON. */
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

  /** The value of the field at this revision. */
  value(revision: Revision): unknown {
    const text = String(revision);
    if (!text.startsWith(objectMark)) return text;
    const encoded = parsed(text.slice(objectMark.length));
    return encoded === undefined ? text : valueFrom(encoded);
  }

  /** An empty session, which replaces an ended one. It bypasses `serialize`, which may expect a user's session. */
  get empty(): unknown {
    const { serialize, unserialize, stringify } = this.#options;
    const cookie = { originalMaxAge: null, expires: null, httpOnly: true, path: "/" };
    return stringify && !serialize && !unserialize ? documentText({ cookie }) : { cookie };
  }
}

/** BSON has no lone surrogates: the driver would replace them, and the revision would not match the stored value. */
function wellFormed(_key: string, value: unknown): unknown {
  return typeof value === "string" ? value.toWellFormed() : value;
}

/** `express-session` passes stores a date in `cookie.expires`, and `connect-mongo` keeps it as one. */
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
    return undefined; // the caller reports it
  }
}
