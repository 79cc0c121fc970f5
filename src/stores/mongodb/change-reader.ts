/**
 * Reads changes of sessions from the events of a change stream. Touches are not changes, and neither are inserts: no node
 * can know a new session yet.
 */
import type { Clock } from "../../base/clock.ts";
import { ExpiringMap } from "../../base/expiring-map.ts";
import type { SessionChange } from "../../session-store.ts";
import { isRecord } from "../common/documents.ts";
import { endOf, isStoredEndReason } from "../common/messages.ts";
import type { MongodbDocument } from "./client.ts";
import type { MongodbIds } from "./ids.ts";

/** Matches the events that are read here. `cleared`, `note`: the marks that `clear()` and `tell()` insert. */
export const changePipeline: MongodbDocument[] = [
  {
    $match: {
      $or: [
        { operationType: { $ne: "insert" } },
        { "fullDocument.socketSession.cleared": { $exists: true } },
        { "fullDocument.socketSession.note": { $exists: true } },
      ],
    },
  },
];

/** About a second passes between the mark of an end and the removal of the document. */
const removalMs = 5 * 60_000;

/** `cleared`: all sessions are gone. `lost`: the collection is, and the stream with it. */
export type ReadChange =
  | SessionChange
  | { readonly kind: "cleared" }
  | { readonly kind: "lost" }
  | { readonly kind: "note"; readonly note: string };

export class MongodbChangeReader {
  readonly #ids: MongodbIds;
  readonly #clock: Clock;
  /** By `_id`: sessions that ended and are about to be removed. */
  readonly #ended: ExpiringMap<{ readonly expiresAt: number }>;

  constructor(ids: MongodbIds, clock: Clock) {
    this.#ids = ids;
    this.#clock = clock;
    this.#ended = new ExpiringMap(clock, { maxEntries: 100_000 });
  }

  read(event: MongodbDocument): ReadChange | undefined {
    const { operationType, fullDocument } = event;
    const id = fieldAt(event, "documentKey", "_id");
    const note = fieldAt(fullDocument, "socketSession", "note");
    if (typeof note === "string") return { kind: "note", note };
    switch (operationType) {
      case "insert":
        return fieldAt(fullDocument, "socketSession", "cleared") ? { kind: "cleared" } : undefined;
      case "update":
        return this.#updated(id, event.updateDescription);
      case "replace":
        // The replacement of an ended session is a new one, which no node can know yet.
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
      const end = endOf(reason, fieldOf(fields, "socketSession", "message"));
      return sid === undefined ? undefined : { kind: "ended", sid, ...end };
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

/** The database reports changed fields of an object: `session.name` as well as `session`. */
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

/** The value of an updated field, whether the field or its whole object was updated. */
function fieldOf(fields: Record<string, unknown>, object: string, name: string): unknown {
  return fields[`${object}.${name}`] ?? fieldAt(fields[object], name);
}

function fieldAt(value: unknown, ...path: string[]): unknown {
  return path.reduce<unknown>(
    (inner, name) => (isRecord(inner) && Object.hasOwn(inner, name) ? inner[name] : undefined),
    value,
  );
}
