import { contentOf } from "../data/snapshot.ts";
import { LiveEntry } from "../live/live-entry.ts";
import { type HandleContext, SessionHandle } from "../session/session-handle.ts";
import type { OwnObject } from "../session/updates.ts";
import type { SessionKey } from "../session-store.ts";
import type { LoadedSessions } from "./loaded-sessions.ts";
import { ownStoreOf, type Request } from "./request-checks.ts";

/** `sessions.of(req)`: its updates show in `req.session` too, and later saves of the request build on them. */
export function requestSession(
  context: HandleContext,
  loaded: LoadedSessions,
  key: SessionKey,
  request: Request,
): SessionHandle {
  /** The request's session object, unless the session was destroyed or replaced by one with another id. */
  const current = () => (request.session?.id === key.sid ? request.session : undefined);
  const own: OwnObject = {
    unstored: () => {
      const object = current();
      const unstored = object && loaded.of(key.sid, object).unstored;
      return object && unstored ? { ...contentOf(object), ...unstored } : undefined;
    },
    refresh: (snapshot, began) => {
      const object = current(); // `reload()` may have replaced the object
      if (object) loaded.of(key.sid, object).refresh(snapshot, began);
    },
    undone: () => {
      if (current()) ownStoreOf(request, context.hub)?.generate(request);
    },
  };
  const { base } = loaded.of(key.sid, request.session);
  const seed = base?.stored;
  const isOver = base !== undefined && context.hub.ends.has(key, base.since);
  return new SessionHandle(context, isOver ? LiveEntry.over(key, seed) : key, { seed, own, peer: request });
}
