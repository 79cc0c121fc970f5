import type { IncomingMessage, ServerResponse } from "node:http";
import createDebug from "debug";
import session, { type Store } from "express-session";
import {
  type AppData,
  type LiveSession,
  type LiveSessionsEvents,
  type Stats,
  sessionsEvents,
} from "./api.ts";
import {
  checkOptions,
  invalid,
  milliseconds,
  refuseArguments,
  refuseCallback,
  refuseRequest,
} from "./base/arguments.ts";
import { maxDelayMs } from "./base/clock.ts";
import { errorText, listenerError, SocketSessionError } from "./base/errors.ts";
import { IsolatedEmitter } from "./base/isolated-emitter.ts";
import { requireNode } from "./base/versions.ts";
import { atMost } from "./base/with-timeout.ts";
import type { SessionValues } from "./data/fields.ts";
import { sessionNames } from "./data/session-key.ts";
import type { Snapshot } from "./data/snapshot.ts";
import { firstContacts } from "./first-contact.ts";
import type { HttpContext } from "./http/http-context.ts";
import { LoadedSessions } from "./http/loaded-sessions.ts";
import { logIn } from "./http/login.ts";
import { type LogoutOptions, logOut } from "./http/logout.ts";
import { forRequests, type RequestHandler } from "./http/middleware.ts";
import { type Request, requireSession } from "./http/request-checks.ts";
import { requestSession } from "./http/request-session.ts";
import { Responses } from "./http/responses.ts";
import { refuseUncalled } from "./http/store-contract.ts";
import { StoreFacade } from "./http/store-facade.ts";
import { exposeInternals } from "./inject-session.ts";
import { Hub } from "./live/hub.ts";
import {
  exemptionsOfAttach,
  type LiveSessionsOptions,
  type ResolvedOptions,
  resolveOptions,
} from "./options/options.ts";
import type { RefusalCode } from "./protocol.ts";
import { Refusals } from "./refusals.ts";
import { Activity } from "./session/activity.ts";
import { ConditionalWrites } from "./session/conditional-writes.ts";
import { Saves } from "./session/saves.ts";
import type { HandleContext, SessionHandle } from "./session/session-handle.ts";
import { type Ticket, Tickets } from "./session/tickets.ts";
import { Updates } from "./session/updates.ts";
import { sessionRoutes } from "./session-routes.ts";
import type { EndReason, SessionKey } from "./session-store.ts";
import { explainMissingAttach } from "./socket/never-attached.ts";
import { type AttachOptions, attachError, openGateway, type SocketServer } from "./socket/open-gateway.ts";
import { cookieValue, verifiedCookie } from "./socket/session-cookie.ts";
import type { SocketGateway } from "./socket/socket-gateway.ts";
import { corsOf } from "./socket/upstream-pages.ts";
import { UserIds } from "./user-ids.ts";
import { type UserSessions, userSessions } from "./user-sessions.ts";
import { corsWarnings } from "./warnings/cors.ts";
import { isCookieWithheld } from "./warnings/insecure-cookie.ts";
import {
  lateWarnings,
  limitsOf,
  secretWarnings,
  socketWarnings,
  storeWarnings,
  warn,
} from "./warnings/start-checks.ts";

declare module "socket.io" {
  interface Socket {
    /** The session of this socket, shared by all namespaces of its connection. */
    readonly session: LiveSession;
  }
}

const debug = createDebug("socket-session");

/** Options of `sessions.close()`. */
export interface CloseOptions {
  /** How long the closing of the transports takes, in milliseconds, so that clients do not all come back at once. */
  overMs?: number;
}

/** How long `close()` waits for requests and updates under way. */
const maxWaitAtCloseMs = 5_000;

/** Sessions that requests and sockets share. Made by {@link liveSessions}. */
export class LiveSessions extends IsolatedEmitter<LiveSessionsEvents> {
  readonly #options: ResolvedOptions;
  readonly #nameOf: (sid: string) => SessionKey;
  readonly #hub: Hub;
  readonly #saves: Saves;
  readonly #activity: Activity;
  readonly #handles: HandleContext;
  readonly #loaded: LoadedSessions;
  readonly #responses = new Responses();
  readonly #users: UserIds;
  readonly #tickets: Tickets;
  readonly #requests = new WeakMap<object, SessionHandle>();
  readonly #gateways: SocketGateway[] = [];
  readonly #undo: (() => void)[] = [];
  readonly #refusals: Refusals;
  readonly #warnings = lateWarnings();
  #hasMiddleware = false;
  #isClosed = false;
  #conflicts = 0;
  #discarded = 0;

  constructor(options: LiveSessionsOptions) {
    super(sessionsEvents);
    requireNode();
    const resolved = resolveOptions(options);
    const { store } = resolved;
    this.#options = resolved;
    this.#refusals = new Refusals(resolved);
    this.#users = new UserIds(resolved.userId, (error) => this.#report(error));
    this.#nameOf = sessionNames(resolved.secrets);
    const userId = (data: Readonly<SessionValues>) => this.#users.of(data);
    const events = {
      changed: (key: SessionKey, snapshot: Snapshot) => {
        if (this.listenerCount("change") === 0) return; // the data of a session that no handle shows need not be parsed
        const { data } = snapshot;
        this.announce("change", { publicId: key.publicId, userId: userId(data), data });
      },
      ended: (key: SessionKey, { reason }: { reason: EndReason }) => {
        debug("session %s ended: %s", key.publicId, reason);
        this.announce("end", { publicId: key.publicId, reason });
      },
      failed: (error: unknown) => this.#report(error),
      feed: (state: "whole" | "broken") => {
        debug("the change feed is %s", state);
        this.announce("feed", { state });
      },
    };
    this.#hub = new Hub({ ...resolved, events });
    this.#loaded = new LoadedSessions(this.#hub);
    const userOf = store.listByUser ? userId : () => undefined;
    const writes = new ConditionalWrites(this.#hub, resolved.ttlMs, userOf, resolved.maxSessionBytes);
    this.#saves = new Saves(this.#hub, writes);
    const updates = new Updates(this.#hub, writes, this.#saves, resolved.updateTimeoutMs);
    this.#activity = new Activity(this.#hub, { ...resolved, userOf });
    this.#handles = { hub: this.#hub, updates, userId };
    this.#tickets = new Tickets(this.#hub.store, resolved.clock, resolved.ticketMs);
    exposeInternals(this, { options: resolved, nameOf: this.#nameOf, saves: this.#saves });
    explainMissingAttach();
    warn([...secretWarnings(resolved), ...storeWarnings(resolved)]);
    this.#hub.freshness.feed.start();
  }

  /** The real `express-session` middleware over this store. */
  express(...none: []): RequestHandler {
    const write = "Write app.use(sessions.express()).";
    requireOwner(this, "sessions.express()", write);
    refuseRequest("sessions.express()", none, write);
    refuseArguments("sessions.express()", none);
    this.#hasMiddleware = true;
    const { shared } = this.#options;
    const onCreate = (session: object) => {
      if (isCookieWithheld(session, shared.proxy)) this.#warnings.insecureCookie();
    };
    const store = this.#openStore(shared.genid === undefined, onCreate);
    return forRequests(this.#middleware(store), this.#responses, () =>
      this.#warnings.engineUse(this.#gateways.length > 0),
    );
  }

  #middleware(store: Store): RequestHandler {
    const { shared, name, secrets } = this.#options;
    return session({ ...shared, name, secret: [...secrets], resave: false, store });
  }

  /**
   * An `express-session` store with the same guarantees, for a middleware made elsewhere. Each call returns a new one.
   */
  store(...none: []): Store {
    requireOwner(this, "sessions.store()", "Write session({ store: sessions.store() }).");
    refuseArguments("sessions.store()", none);
    this.#hasMiddleware = true;
    return this.#openStore(false, () => {});
  }

  #openStore(idsAreNew: boolean, onCreate: HttpContext["onCreate"]): Store {
    const { store } = this.#options;
    const facade = new StoreFacade({ ...this.#http(), onCreate }, idsAreNew);
    const undo = store.connectivity?.((state) => {
      facade.emit(state === "connected" ? "connect" : "disconnect");
    });
    if (undo) this.#undo.push(undo);
    return facade;
  }

  /**
   * Gives every socket of `io` its session, in all namespaces, and closes the socket when the session ends. Call it
   * once for each server, before clients connect.
   */
  attach(io: SocketServer, attachOptions: AttachOptions = {}): this {
    requireOwner(this, "sessions.attach(io)", "Write sessions.attach(io), once for each server.");
    if (this.#isClosed)
      throw attachError("these sessions are closed", "Make new ones with liveSessions(), and attach those.");
    const exemptions = exemptionsOfAttach(attachOptions);
    const options = this.#options;
    const gateway = openGateway(io, {
      ...this.#handles,
      activity: this.#activity,
      rebindMs: options.rebindMs,
      cookieName: options.name,
      secrets: options.secrets,
      guests: options.guests,
      makeSession: firstContacts(options, (store) => this.#middleware(store), this.#warnings.insecureCookie),
      origins: options.origins,
      trustProxy: options.trustProxy,
      exemptions,
      nameOf: this.#nameOf,
      tickets: this.#tickets,
      unprovenMs: options.unprovenMs,
      maxUnproven: options.maxUnproven,
      onRefusal: (code, request, cause) => this.#refuse(code, request, cause),
      onExpressSession: this.#warnings.engineSession,
    });
    const allowed = [options.origins, ...exemptions.map(({ origins }) => origins)];
    warn([...socketWarnings(options, io.path()), ...corsWarnings(corsOf(io), allowed)]);
    this.#gateways.push(gateway);
    return this;
  }

  /** A request's session, with the same transactional `update`, which also refreshes `req.session`. */
  of(request: Request): LiveSession {
    requireOwner(this, "sessions.of(req)", "Write sessions.of(req).");
    requireSession("sessions.of(req)", request);
    return this.#of(request);
  }

  #of(request: Request): SessionHandle {
    const key = this.#nameOf(request.sessionID);
    const known = this.#requests.get(request);
    if (known?.publicId === key.publicId && known.state !== "ended") return known;
    const handle = requestSession(this.#handles, this.#loaded, key, request);
    this.#requests.set(request, handle);
    const settled = this.#responses.settled(request);
    if (settled) void settled.then(() => handle.release());
    else handle.release();
    return handle;
  }

  /**
   * Issues a ticket for the session of a request: it lets one connection in, without the cookie. For pages on another host
   * than their sockets, and clients without cookies. It is good once, within `ticketMs`, for a client of the request's
   * `Origin` (of none, if the request has none), and while the session has not ended and keeps its id. Rejects with
   * `INVALID_OPTION`, `SESSION_ENDED` if the session is not stored, `STORE_UNSUPPORTED` if the store can't keep tickets,
   * `STORE_FAILED`, `STORE_TIMEOUT`.
   */
  async ticket(request: Request, ...none: []): Promise<Ticket> {
    refuseCallback("sessions.ticket()", none);
    const session = this.of(request);
    requireTickets(this.#options.store.name, this.#tickets);
    await session.reload();
    return this.#tickets.issue(request.sessionID, request.headers.origin);
  }

  /**
   * A router for what pages ask of their session: `POST /ticket` answers with a ticket as JSON, see `docs/protocol.md`. Put
   * it behind `sessions.express()`: `app.use("/session", sessions.routes())`.
   */
  routes(...none: []): RequestHandler {
    const write = 'Write app.use("/session", sessions.routes()).';
    requireOwner(this, "sessions.routes()", write);
    refuseRequest("sessions.routes()", none, write);
    refuseArguments("sessions.routes()", none);
    return sessionRoutes({
      ...this.#options,
      report: (error) => this.#report(error),
      onRefusal: (code, request, cause) => this.#refuse(code, request, cause),
      ticket: (request) => this.ticket(request),
    });
  }

  /**
   * Logs a visitor in: ends the request's session as `replaced`, and stores one with a new id (OWASP ASVS 7.2.4) and these
   * `data`, each key as in `req.session`. Of the old session it carries over nothing, as another may have planted it. Resolves
   * to the new session, `sessions.of(req)`, once it is stored: a page that connects after the answer is let in on every node.
   *
   * Rejects with `INVALID_OPTION` or `SESSION_INVALID_DATA` before it ends anything; with `STORE_FAILED`, `STORE_TIMEOUT`, or
   * with `INVALID_OPTION` if the headers were sent while it ran. The request then has a new, empty session: the login
   * is neither in it nor stored by the save at the end of the response.
   */
  async login(request: Request, data: AppData, ...none: []): Promise<LiveSession> {
    requireOwner(this, "sessions.login(req, data)", "Write sessions.login(req, data).");
    refuseCallback("sessions.login()", [data, ...none]);
    const { maxSessionBytes } = this.#options;
    const of = (one: Request) => this.#of(one);
    return logIn({ hub: this.#hub, responses: this.#responses, maxSessionBytes, of }, request, data);
  }

  /**
   * Logs a visitor out: ends the request's session everywhere, as `destroyed`, and has the browser remove its cookie, which
   * `express-session` then does not set again. Resolves to false if there was no session to end; the cookie is removed then too.
   *
   * Rejects with `INVALID_OPTION` before it ends anything, or after that if the headers were sent while it ran; with
   * `STORE_FAILED`, `STORE_TIMEOUT`: the session may then still exist, and the browser keeps the cookie, with which the visitor
   * can try again.
   */
  async logout(
    request: Request,
    response: ServerResponse,
    options: LogoutOptions = {},
    ...none: []
  ): Promise<boolean> {
    requireOwner(this, "sessions.logout(req, res)", "Write sessions.logout(req, res).");
    refuseCallback("sessions.logout()", [response, options, ...none]);
    const { name, shared, secrets } = this.#options;
    const sidOf = ({ headers }: Request) => {
      const cookie = verifiedCookie(cookieValue(headers.cookie, name), secrets);
      return cookie.kind === "signed" ? cookie.sid : undefined;
    };
    const context = { hub: this.#hub, nameOf: this.#nameOf, name, shared, sidOf };
    return logOut(context, request, response, options);
  }

  /**
   * Ends a session everywhere, as `revoked`: by its id, or by its public id if it is live on this node (any session of a
   * user, live or not: `user(id).end({ publicId })`). False if there was none. Rejects with `INVALID_OPTION`,
   * `STORE_FAILED`, `STORE_TIMEOUT`.
   */
  async end(session: string | { publicId: string }, ...none: []): Promise<boolean> {
    refuseCallback("sessions.end()", none);
    const key = typeof session === "string" ? this.#nameOf(session) : this.#liveKey(session);
    return key !== undefined && this.#hub.end(key, "revoked");
  }

  /**
   * All sessions of a user, on all nodes: to list and to end them. Throws `STORE_UNSUPPORTED` if the store has no index
   * of users, and `INVALID_OPTION` without the `userId` option, or if `id` names no user.
   */
  user(id: string | number): UserSessions {
    return userSessions(this.#options, { ...this.#handles, nameOf: this.#nameOf }, id);
  }

  stats(): Stats {
    const { store } = this.#options;
    let connections = 0;
    for (const gateway of this.#gateways) connections += gateway.size;
    return {
      live: this.#hub.entries.live,
      connections,
      refused: this.#refusals.counts,
      touches: this.#activity.touches,
      conflicts: this.#conflicts,
      discarded: this.#discarded,
      store: {
        name: store.name,
        atomic: store.atomic,
        feed: this.#hub.freshness.feed.state,
        feedKind: store.feed?.kind,
        limits: limitsOf(store),
      },
    };
  }

  /**
   * Closes the sockets' transports (stock clients try another node), evenly over `overMs` milliseconds; the default is 0,
   * as fast as it goes. Admits no more clients from the call on. Then closes the store, once the requests and updates
   * under way have ended, after 5 s at the latest. Ends no session. Rejects with `INVALID_OPTION` before it closes
   * anything.
   */
  async close(options: CloseOptions = {}, ...none: []): Promise<void> {
    const method = "sessions.close()";
    refuseCallback(method, [options, ...none]);
    checkOptions(method, options, ["overMs"]);
    const overMs = milliseconds("overMs", options.overMs, 0, { most: maxDelayMs });
    this.#isClosed = true;
    const alive = setInterval(() => {}, maxDelayMs); // a clock's timers let the process end
    await Promise.all(this.#gateways.map((gateway) => gateway.close(overMs)));
    const underWay = this.#responses.allSettled().then(() => this.#handles.updates.idle());
    await atMost(this.#options.clock, maxWaitAtCloseMs, underWay);
    clearInterval(alive);
    for (const undo of this.#undo.splice(0)) undo();
    this.#activity.close();
    this.#loaded.close();
    await this.#hub.close();
    await this.#options.store.close();
  }

  #liveKey(session: { readonly publicId: string }): SessionKey | undefined {
    const method = "sessions.end()";
    const isNamed = typeof session === "object" && session !== null && Object.hasOwn(session, "publicId");
    if (isNamed) checkOptions(method, session, ["publicId"]);
    if (!isNamed || typeof session.publicId !== "string") {
      const cure = "Give it req.sessionID, or { publicId: socket.session.publicId }.";
      throw invalid(`${method} expects the id of a session, or { publicId }`, session, cure);
    }
    return this.#hub.entries.ofPublicId(session.publicId)?.key;
  }

  #refuse(code: RefusalCode, request: IncomingMessage | undefined, cause: unknown): void {
    const isOther = code === "SESSION_REQUIRED" || code === "SESSION_ENDED";
    if (isOther && !this.#hasMiddleware) this.#warnings.noMiddleware(code);
    this.announce("refuse", this.#refusals.add(code, request, cause));
    if (cause !== undefined) this.#report(cause);
    this.#refusals.warn(code, request);
  }

  #http(): Omit<HttpContext, "onCreate"> {
    return {
      store: this.#options.store,
      hub: this.#hub,
      saves: this.#saves,
      activity: this.#activity,
      nameOf: this.#nameOf,
      loaded: this.#loaded,
      responses: this.#responses,
      onConflict: ({ publicId }, keys) => {
        this.#conflicts++;
        this.announce("conflict", { publicId, keys });
      },
      onDiscard: ({ publicId }) => {
        this.#discarded++;
        this.announce("discard", { publicId });
      },
    };
  }

  #report(error: unknown): void {
    const coded = listenerError("Code of the application", error);
    debug("%s", errorText(coded));
    this.fail(coded);
  }
}

refuseUncalled(LiveSessions.prototype.store);

/**
 * Makes requests and sockets share sessions: `sessions.express()` for requests, `sessions.attach(io)` for sockets.
 * Throws `INVALID_OPTION`; `UNSUPPORTED_UPSTREAM` on an old Node.
 */
export function liveSessions(options: LiveSessionsOptions): LiveSessions {
  return new LiveSessions(options);
}

function requireTickets(store: string, tickets: Tickets): void {
  if (tickets.areKept) return;
  const message = `sessions.ticket() needs a store that can keep tickets, and the ${store} store can't: it can't take one atomically, so that it is used once. Use a store of this package, such as redisStore().`;
  throw new SocketSessionError("STORE_UNSUPPORTED", message);
}

/** Refuses a method that was passed on without its object, a common slip with frameworks and the recipe. */
function requireOwner(owner: unknown, method: string, cure: string): void {
  if (owner instanceof LiveSessions) return;
  const message = `${method} expects to be called on \`sessions\`; it was passed on without, or destructured. ${cure}`;
  throw new SocketSessionError("INVALID_OPTION", message);
}
