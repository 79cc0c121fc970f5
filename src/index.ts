export type {
  AppData,
  DeepReadonly,
  LifecycleEvent,
  LiveSession,
  LiveSessionsEvents,
  SessionEndOptions,
  SessionEvents,
  SessionState,
  Stats,
} from "./api.ts";
export type { Clock } from "./base/clock.ts";
export {
  type ErrorCode,
  errorCodes,
  SessionEnded,
  SessionRefused,
  SocketSessionError,
} from "./base/errors.ts";
export type { EndAllOptions } from "./end-all.ts";
export type { LogoutOptions, SiteData } from "./http/logout.ts";
export { type CloseOptions, LiveSessions, liveSessions } from "./live-sessions.ts";
export type { LiveSessionsOptions } from "./options/options.ts";
export {
  type EndMessage,
  type EndReasonCode,
  endEvent,
  endReasons,
  type ForbiddenMessage,
  forbiddenEvent,
  type RefusalCode,
  type RefusalData,
  refusals,
  type StateMessage,
  stateEvent,
  type WithSession,
} from "./protocol.ts";
export type { RuleSocket, SessionRule } from "./rules.ts";
export type { SocketCount } from "./session/count-sockets.ts";
export type { EndSessionOptions } from "./session/end-options.ts";
export type { EndReceipt } from "./session/end-receipt.ts";
export type { RuleOptions, RulePredicate } from "./session/rule.ts";
export type { SessionsPerUser } from "./session/user-cap.ts";
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
} from "./session-store.ts";
export type { OriginsOption } from "./socket/allowed-origins.ts";
export type { ExemptNamespace } from "./socket/exempt.ts";
export type { AttachOptions, SocketServer } from "./socket/open-gateway.ts";
export type {
  CountedSession,
  EndOptions,
  ListedSession,
  ListOptions,
  UserSessions,
} from "./user-sessions.ts";
