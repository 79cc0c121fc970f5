import { mapInTurns } from "../base/batches.ts";
import type { SessionValues } from "../data/fields.ts";
import { type Snapshot, snapshotFrom } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { SessionKey, StoredSession } from "../session-store.ts";

/** A stored session of a user. */
export interface SessionOfUser {
  readonly key: SessionKey;
  /** When it became this user's, in milliseconds since the epoch. */
  readonly since: number;
  /** Null if it can't be read. */
  readonly snapshot: Snapshot | null;
}

export interface UserIndex {
  readonly hub: Pick<Hub, "store">;
  readonly nameOf: (sid: string) => SessionKey;
  readonly userId: (data: Readonly<SessionValues>) => string | undefined;
}

/**
 * All sessions of a user, on all nodes, live or not. The store's index may still list a session that now has another user, or
 * none: it is left out.
 */
export async function sessionsOfUser(
  { hub, nameOf, userId }: UserIndex,
  user: string,
): Promise<SessionOfUser[]> {
  const listed = await hub.store.listByUser(user);
  const found = await mapInTurns(listed, ({ sid, since, stored }) => {
    const snapshot = readable(stored);
    const isTheirs = !snapshot || userId(snapshot.data) === user;
    return isTheirs ? [{ key: nameOf(sid), since, snapshot }] : [];
  });
  return found.flat();
}

/** A session with values that JSON can't hold must not keep the others from being listed and ended. */
function readable(stored: StoredSession | null): Snapshot | null {
  try {
    return stored && snapshotFrom(stored);
  } catch {
    return null;
  }
}
