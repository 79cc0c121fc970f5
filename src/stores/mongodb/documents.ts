/**
 * Filters and updates of the sessions' documents, which are those of `connect-mongo` with one more field:
 *
 * ```js
 * { _id, session, expires, socketSession: { users: ["ada"], since: { <hash of the user>: Date } } }
 * ```
 */

import { createHash } from "node:crypto";
import { hashedIfLonger } from "../common/ids.ts";
import type { endOf } from "../common/messages.ts";
import type { MongodbDocument } from "./client.ts";

const maxUserBytes = 1_000;

/** Matches live sessions. One without `expires` lives for ever; one marked as ended is over, even if it is extended. */
export function live(now: number): MongodbDocument {
  return {
    $or: [{ expires: { $exists: false } }, { expires: { $gt: new Date(now) } }],
    "socketSession.ended": { $exists: false },
  };
}

/** Matches the document of this id unless it is live: a new session may replace it. */
export function over(_id: string, now: number): MongodbDocument {
  return { _id, $nor: [live(now)] };
}

/**
 * Replaces an ended session until it is deleted: no user data, already expired. `socketSession` is set as a whole, since
 * another package may have stored a value there in which no field can be set.
 */
export function endMark({ reason, message }: ReturnType<typeof endOf>, empty: unknown): MongodbDocument {
  const socketSession = { ended: reason, ...(message === undefined ? {} : { message }) };
  return { $set: { session: empty, expires: new Date(0), socketSession } };
}

interface IndexUpdate {
  readonly $addToSet?: MongodbDocument;
  readonly $min?: MongodbDocument;
  readonly $set?: MongodbDocument;
}

/**
 * Indexes a session under a user, and records since when it is theirs: since now if `isNew`, else since the first time. Users
 * are added, not replaced: concurrent writers may leave a stale entry, never a missing one.
 */
export function indexed(user: string | undefined, now: number, isNew = false): IndexUpdate {
  if (user === undefined) return {};
  const since = { [`socketSession.since.${sinceKey(user)}`]: new Date(now) };
  return {
    $addToSet: { "socketSession.users": userKey(user) },
    ...(isNew ? { $set: since } : { $min: since }),
  };
}

/** As `indexed`, for a new document. */
export function newIndex(user: string | undefined, now: number): MongodbDocument {
  if (user === undefined) return {};
  return { socketSession: { users: [userKey(user)], since: { [sinceKey(user)]: new Date(now) } } };
}

interface StampOptions {
  readonly touchAfter: number;
  readonly timestamps: boolean;
}

/** As `connect-mongo` keeps it for its `touchAfter`. */
export function lastModified({ touchAfter }: StampOptions, now: number): MongodbDocument {
  return touchAfter > 0 ? { lastModified: new Date(now) } : {};
}

/** As `connect-mongo` keeps them for its `timestamps`, in a new document. */
export function createdAt({ timestamps }: StampOptions, now: number): MongodbDocument {
  return timestamps ? { createdAt: new Date(now), updatedAt: new Date(now) } : {};
}

/** The same, in an update. */
export function updatedAt({ timestamps }: StampOptions): MongodbDocument {
  return timestamps ? { $currentDate: { updatedAt: true } } : {};
}

/** A user as a value of the index. */
export function userKey(user: string): string {
  return hashedIfLonger(user, maxUserBytes);
}

/** A user as the name of a field, which may not hold dots. */
export function sinceKey(user: string): string {
  return createHash("sha256").update(user, "utf16le").digest("hex").slice(0, 32);
}
