import { documentOf } from "../core/fields.ts";
import { LiveEntry } from "../core/live-entry.ts";
import { type HandleContext, SessionHandle } from "../core/session-handle.ts";
import type { SessionKey } from "../core/session-store.ts";
import { snapshotOf } from "../core/snapshot.ts";
import type { OwnObject } from "../core/updates.ts";
import type { RequestHandler } from "./for-requests.ts";
import { heldBy, type LoadedSessions } from "./loaded-sessions.ts";

/** A request that the session middleware has seen. */
export type SessionRequest = Pick<Parameters<RequestHandler>[0], "session">;

/** `sessions.of(req)`: what it updates shows in `req.session` too, and later saves of the request build on it. */
export function requestSession(
  context: HandleContext,
  loaded: LoadedSessions,
  key: SessionKey,
  request: SessionRequest,
): SessionHandle {
  /** The request's session object, unless it has been destroyed, or replaced by one of another id. */
  const current = () => (request.session?.id === key.sid ? request.session : undefined);
  const own: OwnObject = {
    unstored: () => {
      const object = current();
      const unstored = object && loaded.unstored(object);
      return object && unstored ? { ...heldBy(object), ...unstored } : undefined;
    },
    refresh: (snapshot, began) => {
      const object = current(); // `reload()` may have put another one in its place
      if (object) loaded.refresh(key.sid, object, snapshot, began);
    },
  };
  const base = loaded.baseOf(key.sid, request.session);
  const stored = base?.stored;
  const seed = stored && snapshotOf({ ...stored, document: documentOf(stored.fields, stored.cookie) });
  const isOver = base !== undefined && context.hub.hasEnded(key, base.since);
  return new SessionHandle(context, isOver ? LiveEntry.over(key, seed) : key, { seed, own });
}
