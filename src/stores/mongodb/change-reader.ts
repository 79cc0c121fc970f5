/**
 * What the events of a change stream say of sessions. Touches say nothing, and neither do inserts: nobody can have heard
 * of a new session.
 */
import type { Clock } from "../../base/clock.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import type { SessionChange } from "../../session-store.ts";
import { isRecord } from "../common/documents.ts";
import { isStoredEndReason } from "../common/messages.ts";
import type { MongodbDocument } from "./client.ts";
import type { MongodbIds } from "./ids.ts";

/** All events that are read here; `cleared` is what `clear()` leaves. */
export const changePipeline: MongodbDocument[] = [
  {
    $match: {
      $or: [
        { operationType: { $ne: "insert" } },
        { "fullDocument.socketSession.cleared": { $exists: true } },
      ],
    },
  },
];

/** Between the mark of an end and the removal of the document lies a second or so. */
const removalMs = 5 * 60_000;

/** `cleared`: all sessions are gone. `lost`: the collection is, and the stream with it. */
export type ReadChange = SessionChange | { readonly kind: "cleared" } | { readonly kind: "lost" };

export class MongodbChangeReader {
  readonly #ids: MongodbIds;
  readonly #clock: Clock;
  /** By `_id`: what ended and is about to be removed. */
  readonly #ended: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(ids: MongodbIds, clock: Clock) {
    this.#ids = ids;
    this.#clock = clock;
    this.#ended = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  read(event: MongodbDocument): ReadChange | undefined {
    const { operationType, fullDocument } = event;
    const id = fieldAt(event, "documentKey", "_id");
    switch (operationType) {
      case "insert":
        return fieldAt(fullDocument, "socketSession", "cleared") ? { kind: "cleared" } : undefined;
      case "update":
        return this.#updated(id, event.updateDescription);
      case "replace":
        // What takes the place of one that has ended is a new session, of which nobody can have heard.
        if (this.#ended.delete(String(id))) return undefined;
        return this.#changed(id, undefined);
      case "delete":
        return this.#ended.delete(String(id)) ? undefined : this.#changed(id, undefined);
      case "drop":
      case "rename":
      case "dropDatabase":
      case "invalidate":
        return { kind: "lost" };
      default:
        return undefined;
    }
  }

  stop(): void {
    this.#ended.stop();
  }

  #updated(id: unknown, description: unknown): ReadChange | undefined {
    const fields = updatedFields(description);
    const reason = fieldOf(fields, "socketSession", "ended");
    if (isStoredEndReason(reason)) {
      this.#ended.set(String(id), { expiresAt: this.#clock.now() + removalMs });
      const sid = this.#ids.sid(id);
      return sid === undefined ? undefined : { kind: "ended", sid, reason };
    }
    if (!touchesSession(fields, description)) return undefined;
    return this.#changed(id, fieldOf(fields, "socketSession", "write"));
  }

  #changed(id: unknown, write: unknown): SessionChange | undefined {
    const sid = this.#ids.sid(id);
    if (sid === undefined) return undefined;
    return typeof write === "string" ? { kind: "changed", sid, write } : { kind: "changed", sid };
  }
}

function updatedFields(description: unknown): Record<string, unknown> {
  const fields = fieldAt(description, "updatedFields");
  return isRecord(fields) ? fields : {};
}

/** The database tells which fields of an object changed: `session.name` as well as `session`. */
function touchesSession(fields: Record<string, unknown>, description: unknown): boolean {
  const removed = fieldAt(description, "removedFields");
  const truncated = fieldAt(description, "truncatedArrays");
  const paths = [
    ...Object.keys(fields),
    ...(Array.isArray(removed) ? removed : []),
    ...(Array.isArray(truncated) ? truncated.map((array) => fieldAt(array, "field")) : []),
  ];
  return paths.some((path) => path === "session" || String(path).startsWith("session."));
}

/** A field of ours that was updated: by itself, or with the object it is in. */
function fieldOf(fields: Record<string, unknown>, object: string, name: string): unknown {
  return fields[`${object}.${name}`] ?? fieldAt(fields[object], name);
}

function fieldAt(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}
