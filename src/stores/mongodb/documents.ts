/**
 * The filters and updates of the sessions' documents, which are `connect-mongo`'s with one field more:
 *
 * ```js
 * { _id, session, expires, socketSession: { users: ["ada"], since: { <hash of the user>: Date } } }
 * ```
 */
import { createHash } from "node:crypto";
import type { StoredEndReason } from "../../session-store.ts";
import { hashedIfLonger } from "../common/ids.ts";
import type { MongodbDocument } from "./client.ts";

const maxUserBytes = 1_000;

/** Not over: without `expires` it never is. One that bears the mark of its end is over, whoever extends it. */
export function live(now: number): MongodbDocument {
  return {
    $or: [{ expires: { $exists: false } }, { expires: { $gt: new Date(now) } }],
    "socketSession.ended": { $exists: false },
  };
}

/** The document of this id, if a new session may take its place: whatever is not live. */
export function over(_id: string, now: number): MongodbDocument {
  return { _id, $nor: [live(now)] };
}

/**
 * What a session holds from its end until it is removed: nothing that is anybody's, and no way back. `socketSession` is set
 * as a whole, as another package may have made something else of it, in which no field can be set.
 */
export function endMark(reason: StoredEndReason, empty: unknown): MongodbDocument {
  return { $set: { session: empty, expires: new Date(0), socketSession: { ended: reason } } };
}

/**
 * Adds a user to the index of a session, and when it became his. Users are added and not replaced: two writers that are
 * not of one mind leave an entry too many, but none is ever missing.
 */
export function indexed(user: string | undefined, now: number): MongodbDocument {
  if (user === undefined) return {};
  return {
    $addToSet: { "socketSession.users": userKey(user) },
    $min: { [`socketSession.since.${sinceKey(user)}`]: new Date(now) },
  };
}

/** The same in a new document. */
export function newIndex(user: string | undefined, now: number): MongodbDocument {
  if (user === undefined) return {};
  return { socketSession: { users: [userKey(user)], since: { [sinceKey(user)]: new Date(now) } } };
}

/** A user as a value of the index. */
export function userKey(user: string): string {
  return hashedIfLonger(user, maxUserBytes);
}

/** A user as the name of a field, which may not hold dots. */
export function sinceKey(user: string): string {
  return createHash("sha256").update(user, "utf16le").digest("hex").slice(0, 32);
}
