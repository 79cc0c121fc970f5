/** What a page asks of its session over HTTP: how it is, and that it goes on. */
import { SessionEnded } from "../base/errors.ts";
import { contentOf } from "../data/snapshot.ts";
import type { Hub } from "../live/hub.ts";
import type { StateMessage } from "../protocol.ts";
import type { Activity } from "../session/activity.ts";
import { liveState, type Share } from "../session/share.ts";
import { overError } from "../session/updates.ts";
import type { SessionKey } from "../session-store.ts";
import { hasChanges, type LoadedSessions } from "./loaded-sessions.ts";
import { ownStoreOf, type Request, requireSession } from "./request-checks.ts";

interface StateContext {
  readonly hub: Hub;
  readonly nameOf: (sid: string) => SessionKey;
  readonly share: Share | undefined;
}

interface RenewContext extends StateContext {
  readonly activity: Activity;
  readonly loaded: LoadedSessions;
}

const method = "sessions.routes()";

/** Reads the state of a request's session. Rejects with `SESSION_ENDED` if it is not stored, and with the store's errors. */
export async function stateOf({ hub, nameOf, share }: StateContext, request: Request): Promise<StateMessage> {
  requireSession(method, request);
  const key = nameOf(request.sessionID);
  const snapshot = await hub.hold(key, (entry) => hub.reads.load(entry));
  if (!snapshot) throw new SessionEnded(key.publicId);
  return liveState(key, snapshot, hub.clock.now(), share?.textOf(snapshot.data));
}

/**
 * As `stateOf`, after a touch if one is due: the visitor is active. `send` is called in the turn in which the session was
 * still live, so that an answer with its cookie leaves before that of a logout which clears it, or of a login which sets
 * another. Resolves to the session.
 */
export async function renew(
  { hub, nameOf, share, activity, loaded }: RenewContext,
  request: Request,
  send: (state: StateMessage) => void,
): Promise<SessionKey> {
  requireSession(method, request);
  const key = nameOf(request.sessionID);
  await hub.hold(key, async (entry) => {
    const { base } = loaded.of(request.sessionID, request.session);
    if (base) await activity.onRequest(key, base.stored);
    await hub.reads.load(entry);
    const { snapshot } = entry;
    if (!snapshot) throw overError(entry);
    send(liveState(key, snapshot, hub.clock.now(), share?.textOf(snapshot.data)));
  });
  return key;
}

/**
 * Has `express-session` neither extend the request's session nor set its cookie at the end of the response. Without an id
 * it does neither, and ends nothing, whatever `unset` and `rolling` say. It saves what the application has changed, as in
 * any request, unless the session `isOver`.
 */
export function leave(
  { hub, loaded }: { readonly hub: Hub; readonly loaded: LoadedSessions },
  request: Request,
  isOver: boolean,
): void {
  const { session, sessionID } = request;
  if (!session || !ownStoreOf(request, hub)) return;
  const record = loaded.of(sessionID, session);
  const edit = record.edit();
  const isChanged = edit ? hasChanges(edit) : contentOf(session).fields.size > 0;
  if ((isOver && edit) || !isChanged) Reflect.deleteProperty(request, "sessionID");
}
