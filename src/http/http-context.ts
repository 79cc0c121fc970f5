/** The dependencies of the `express-session` store. */
import type { Hub } from "../live/hub.ts";
import type { Activity } from "../session/activity.ts";
import type { Saves } from "../session/saves.ts";
import type { SessionKey, SessionStore } from "../session-store.ts";
import type { LoadedSessions } from "./loaded-sessions.ts";
import type { Responses } from "./responses.ts";

export interface HttpContext {
  readonly store: SessionStore;
  readonly hub: Hub;
  readonly saves: Saves;
  readonly activity: Activity;
  readonly nameOf: (sid: string) => SessionKey;
  readonly loaded: LoadedSessions;
  readonly responses: Responses;
  readonly onConflict: (key: SessionKey, keys: readonly string[]) => void;
  readonly onDiscard: (key: SessionKey) => void;
  /** A session is about to be stored for the first time. */
  readonly onCreate: (session: object) => void;
}
