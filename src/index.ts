export type { Clock } from "./clock.ts";
export type {
  ChangedSession,
  CookieDocument,
  EndReason,
  FeedListener,
  FeedOptions,
  FeedTraits,
  Revision,
  SessionChange,
  SessionDocument,
  SessionKey,
  SessionStore,
  StoredEndReason,
  StoredSession,
  Unsubscribe,
  UserSession,
} from "./core/session-store.ts";
export { type ErrorCode, errorCodes, SessionEnded, SocketSessionError } from "./errors.ts";
export type { LiveSessionsEvents } from "./events.ts";
export type { AppData, DeepReadonly, LiveSession, SessionEvents, SessionState } from "./live-session.ts";
export { LiveSessions, liveSessions } from "./live-sessions.ts";
export type { LiveSessionsOptions } from "./options.ts";
export type { OriginsOption } from "./origins.ts";
export {
  type EndMessage,
  type EndReasonCode,
  endEvent,
  endReasons,
  type RefusalCode,
  type RefusalData,
  refusals,
} from "./protocol.ts";
export type { AttachOptions, SocketServer } from "./socket/attach.ts";
export type { ExemptNamespace } from "./socket/exempt.ts";
export type { Stats } from "./stats.ts";
export type { EndOptions, ListedSession, UserSessions } from "./user-sessions.ts";
