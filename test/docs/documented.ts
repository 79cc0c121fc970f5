/** Which table documents which type: its names must be the type's, no fewer and no more. */
export interface DocumentedType {
  /** A type whose keys are documented, in the scope of the imports below. */
  readonly keys: string;
  readonly file: string;
  readonly headings: readonly string[];
}

export const imports = `
import type { EventEmitter } from "node:events";
import type {
  AttachOptions, CloseOptions, EndReasonCode, ExemptNamespace, LiveSession, LiveSessions, LiveSessionsEvents, LiveSessionsOptions,
  LogoutOptions, RefusalCode, SessionEndOptions, SessionEvents, SessionState, SessionStore, Stats,
} from "socket-session";
import type { EndAllOptions, EndOptions, LifecycleEvent, RuleOptions, SessionRule, UserSessions } from "socket-session";
import type { CountedSession, EndReceipt, EndSessionOptions, SocketCount } from "socket-session";
import type { MemoryStoreOptions } from "socket-session/memory";
import type { MongodbStoreOptions } from "socket-session/mongodb";
import type { PostgresStoreOptions } from "socket-session/postgres";
import type { RedisStoreOptions } from "socket-session/redis";
import type { SqliteStoreOptions } from "socket-session/sqlite";
import type { SessionClient, SessionClientEvents, SessionClientOptions, SessionSnapshot, ticketAuth } from "socket-session/client";
import type { InjectOptions } from "socket-session/testing";
import type { StoreHarness, StoreTraits } from "socket-session/testing/store";
type FieldsOf<T> = T extends unknown ? keyof T : never;
`;

const reference = (name: string) => `docs/reference/${name}.md`;

export const documentedTypes: readonly DocumentedType[] = [
  {
    keys: "keyof LiveSessionsOptions",
    file: reference("options"),
    headings: ["Shared with express-session", "Sessions", "Sockets", "Times"],
  },
  { keys: "keyof AttachOptions", file: reference("options"), headings: ["attach(io, options)"] },
  { keys: "keyof ExemptNamespace", file: reference("options"), headings: ["An exempt namespace"] },
  { keys: "keyof LiveSession", file: reference("session"), headings: ["Properties", "Methods"] },
  { keys: "keyof SessionEvents", file: reference("session"), headings: ["Events"] },
  { keys: "keyof SessionEndOptions", file: reference("session"), headings: ["end(options)"] },
  { keys: "SessionState", file: reference("session"), headings: ["States"] },
  {
    keys: "Exclude<keyof LiveSessions, keyof EventEmitter>",
    file: reference("sessions"),
    headings: ["Methods"],
  },
  { keys: "keyof LiveSessionsEvents", file: reference("sessions"), headings: ["Events"] },
  { keys: `LifecycleEvent["type"]`, file: reference("sessions"), headings: ["Life cycles"] },
  { keys: "FieldsOf<LifecycleEvent>", file: reference("sessions"), headings: ["Fields"] },
  {
    keys: `Extract<LifecycleEvent, { type: "ended" }>["by"]`,
    file: reference("sessions"),
    headings: ["Causes"],
  },
  { keys: "keyof UserSessions", file: reference("sessions"), headings: ["user(id)"] },
  { keys: "keyof EndSessionOptions", file: reference("sessions"), headings: ["end(session, options)"] },
  { keys: "keyof EndReceipt", file: reference("sessions"), headings: ["A receipt"] },
  { keys: "keyof SocketCount", file: reference("sessions"), headings: ["Its sockets"] },
  { keys: "keyof EndAllOptions", file: reference("sessions"), headings: ["endAll(options)"] },
  { keys: "keyof EndOptions", file: reference("sessions"), headings: ["Which to end"] },
  {
    keys: "keyof LogoutOptions",
    file: reference("sessions"),
    headings: ["logout(req, res, options)"],
  },
  {
    keys: "keyof RuleOptions",
    file: reference("sessions"),
    headings: ["require(predicate, options)"],
  },
  { keys: "keyof SessionRule", file: reference("sessions"), headings: ["Members of a rule"] },
  { keys: "keyof CloseOptions", file: reference("sessions"), headings: ["close(options)"] },
  { keys: "keyof CountedSession", file: reference("sessions"), headings: ["A listed session"] },
  { keys: "keyof Stats", file: reference("sessions"), headings: ["stats()"] },
  { keys: `keyof Stats["store"]`, file: reference("sessions"), headings: ["stats().store"] },
  { keys: "RefusalCode", file: reference("refusals-and-ends"), headings: ["Refusals"] },
  { keys: "EndReasonCode", file: reference("refusals-and-ends"), headings: ["Ends"] },
  { keys: "keyof SessionClientOptions", file: reference("client"), headings: ["Options"] },
  { keys: "keyof SessionClient", file: reference("client"), headings: ["Members"] },
  { keys: "keyof SessionSnapshot", file: reference("client"), headings: ["Snapshot"] },
  { keys: `SessionSnapshot["state"]`, file: reference("client"), headings: ["States"] },
  { keys: `SessionSnapshot["state"]`, file: "docs/guide/browser.md", headings: ["What to show"] },
  { keys: "keyof SessionClientEvents", file: reference("client"), headings: ["Events"] },
  {
    keys: "keyof NonNullable<Parameters<typeof ticketAuth>[1]>",
    file: reference("client"),
    headings: ["ticketAuth(url, options)"],
  },
  { keys: "keyof MemoryStoreOptions", file: "docs/stores/memory.md", headings: ["Options"] },
  { keys: "keyof SqliteStoreOptions", file: "docs/stores/sqlite.md", headings: ["Options"] },
  { keys: "keyof RedisStoreOptions", file: "docs/stores/redis.md", headings: ["Options"] },
  { keys: "keyof PostgresStoreOptions", file: "docs/stores/postgres.md", headings: ["Options"] },
  { keys: "keyof MongodbStoreOptions", file: "docs/stores/mongodb.md", headings: ["Options"] },
  { keys: "keyof SessionStore", file: "docs/stores/writing-a-store.md", headings: ["The port", "Abilities"] },
  { keys: "keyof StoreTraits", file: "docs/stores/writing-a-store.md", headings: ["Traits"] },
  { keys: "keyof StoreHarness", file: "docs/stores/writing-a-store.md", headings: ["The harness"] },
  { keys: "keyof InjectOptions", file: "docs/guide/testing-your-app.md", headings: ["Options"] },
];

/** What stands for an application around the blocks that are marked `fragment`. */
export const fragmentGlobals = `
import type { Server as HttpServer } from "node:http";
import type { Express, NextFunction, Request, Response } from "express";
import type { Store } from "express-session";
import type { Server, Socket } from "socket.io";
import type { LiveSessions, SessionStore } from "socket-session";
declare module "express-session" {
  interface SessionData {
    name?: string; count?: number; clicks?: number; userId?: string; profileVersion?: number; passport?: { user?: string };
  }
}
declare global {
  const sessions: LiveSessions;
  const store: SessionStore;
  const expressStore: Store;
  const secret: string;
  const app: Express;
  const passport: import("passport").PassportStatic;
  const server: HttpServer;
  const io: Server;
  const socket: Socket;
  const req: Request;
  const res: Response;
  const next: NextFunction;
}
`;
