import type { IncomingMessage, ServerResponse } from "node:http";
import createDebug from "debug";
import type { Store } from "express-session";
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
import { type Core, coreOf } from "./core.ts";
import type { SessionValues } from "./data/fields.ts";
import { type EndAllOptions, endAll } from "./end-all.ts";
import type { LogoutOptions } from "./http/logout.ts";
import type { Middleware } from "./http/middleware.ts";
import { type Request, requireSession } from "./http/request-checks.ts";
import { refuseUncalled } from "./http/store-contract.ts";
import { exposeInternals } from "./inject-session.ts";
import { Lifecycle } from "./lifecycle.ts";
import type { HubOptions } from "./live/hub-options.ts";
import { type LiveSessionsOptions, resolveOptions } from "./options/options.ts";
import type { RefusalCode } from "./protocol.ts";
import { Refusals } from "./refusals.ts";
import { RequestSide } from "./request-side.ts";
import { type SessionRule, sessionRule } from "./rules.ts";
import { type EndSessionOptions, endSessionOptionsOf } from "./session/end-options.ts";
import { type EndReceipt, endWithReceipt, nothingToEnd } from "./session/end-receipt.ts";
import type { RuleOptions, RulePredicate } from "./session/rule.ts";
import type { Ticket } from "./session/tickets.ts";
import { sessionRoutes } from "./session-routes.ts";
import type { SessionKey } from "./session-store.ts";
import { explainMissingAttach } from "./socket/never-attached.ts";
import { type AttachOptions, attachError, type SocketServer } from "./socket/open-gateway.ts";
import { SocketSide } from "./socket-side.ts";
import { UserIds } from "./user-ids.ts";
import { type UserSessions, userSessions } from "./user-sessions.ts";
import { lateWarnings, limitsOf, secretWarnings, storeWarnings, warn } from "./warnings/start-checks.ts";

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
  readonly #core: Core;
  readonly #requests: RequestSide;
  readonly #sockets: SocketSide;
  readonly #refusals: Refusals;
  readonly #lifecycle: Lifecycle;
  readonly #warnings = lateWarnings();
  #isClosed = false;
  #conflicts = 0;
  #discarded = 0;

  constructor(options: LiveSessionsOptions) {
    super(sessionsEvents);
    requireNode();
    const resolved = resolveOptions(options);
    const users = new UserIds(resolved.userId, (error) => this.#report(error));
    const userOf = (data: Readonly<SessionValues>) => users.of(data);
    this.#lifecycle = new Lifecycle(resolved, userOf, {
      hasListeners: () => this.listenerCount("lifecycle") > 0,
      emit: (event) => this.announce("lifecycle", event),
    });
    const { actors } = this.#lifecycle;
    this.#core = coreOf(resolved, userOf, { actors, events: this.#hubEvents() });
    const { insecureCookie, engineUse, engineSession } = this.#warnings;
    this.#requests = new RequestSide(this.#core, {
      onInsecureCookie: insecureCookie,
      onEngineUse: () => engineUse(this.#sockets.isAttached),
      onConflict: ({ publicId }, keys) => {
        this.#conflicts++;
        this.announce("conflict", { publicId, keys });
      },
      onDiscard: ({ publicId }) => {
        this.#discarded++;
        this.announce("discard", { publicId });
      },
    });
    this.#refusals = new Refusals(resolved);
    this.#sockets = new SocketSide(this.#core, this.#requests, {
      onInsecureCookie: insecureCookie,
      onExpressSession: engineSession,
      onRefusal: (code, request, cause) => this.#refuse(code, request, cause),
      onForbidden: ({ rule, followed, ...place }, data) =>
        this.#lifecycle.forbidden(rule.code, followed.entry.key, data, place),
    });
    exposeInternals(this, this.#core);
    explainMissingAttach();
    warn([...secretWarnings(resolved), ...storeWarnings(resolved)]);
    this.#core.hub.freshness.feed.start();
  }

  #hubEvents(): HubOptions["events"] {
    return {
      changed: ({ publicId }, snapshot) => {
        if (this.listenerCount("change") === 0) return; // the data of a session that no handle shows need not be parsed
        const { data } = snapshot;
        this.announce("change", { publicId, userId: this.#core.handles.userId(data), data });
      },
      ended: (key, end, last) => {
        const { publicId } = key;
        const { reason, message } = end;
        debug("session %s ended: %s", publicId, reason);
        this.#lifecycle.ended(key, end, last);
        this.announce("end", { publicId, reason, ...(message === undefined ? {} : { message }) });
      },
      stored: (key, snapshot, previous) => this.#lifecycle.stored(key, snapshot, previous),
      failed: (error) => this.#report(error),
      feed: (state) => {
        debug("the change feed is %s", state);
        this.announce("feed", { state });
      },
    };
  }

  /** The real `express-session` middleware over this store. */
  express(...none: []): Middleware {
    const write = "Write app.use(sessions.express()).";
    requireOwner(this, "sessions.express()", write);
    refuseRequest("sessions.express()", none, write);
    refuseArguments("sessions.express()", none);
    return this.#requests.express();
  }

  /**
   * An `express-session` store with the same guarantees, for a middleware made elsewhere. Each call returns a new one.
   */
  store(...none: []): Store {
    requireOwner(this, "sessions.store()", "Write session({ store: sessions.store() }).");
    refuseArguments("sessions.store()", none);
    return this.#requests.store();
  }

  /**
   * Gives every socket of `io` its session, in all namespaces, and closes the socket when the session ends. Call it
   * once for each server, before clients connect.
   */
  attach(io: SocketServer, attachOptions: AttachOptions = {}): this {
    requireOwner(this, "sessions.attach(io)", "Write sessions.attach(io), once for each server.");
    if (this.#isClosed)
      throw attachError("these sessions are closed", "Make new ones with liveSessions(), and attach those.");
    this.#sockets.attach(io, attachOptions);
    return this;
  }

  /**
   * A request's session, with the same transactional `update`, which also refreshes `req.session`. As in the other methods, the
   * request is Express's, or Node's own in other frameworks. Throws `INVALID_OPTION` if it has no session.
   */
  of(request: IncomingMessage): LiveSession {
    requireOwner(this, "sessions.of(req)", "Write sessions.of(req).");
    requireSession("sessions.of(req)", request);
    return this.#requests.of(request);
  }

  /**
   * A rule that a session has to satisfy, for requests and sockets alike: `app.use("/admin", rule)`,
   * `io.of("/admin").use(rule)`, and `rule.room(socket, "admins")`. It is asked again at each change of the data, and at
   * each request and event: a socket at which it turns false is out of the namespace or room before anything else reaches
   * it (OWASP ASVS 8.3.2), and gets `session:forbidden`. With `withinMs` and `since` it turns false by itself, as time
   * passes (ASVS 7.5.3). A predicate that throws is false, and reported as `error`. Throws `INVALID_OPTION`, also for an
   * async predicate, at the first use at the latest.
   */
  require(predicate: RulePredicate, options: RuleOptions = {}): SessionRule {
    requireOwner(this, "sessions.require()", "Write sessions.require((data) => data.admin === true).");
    const { hub, nameOf } = this.#core;
    const context = {
      rules: this.#sockets.rules,
      clock: hub.clock,
      report: (error: unknown) => this.#report(error),
      dataOf: (request: Request) => this.#requests.dataOf(request),
      onForbidden: (code: string, request: Request, data: LiveSession["data"]) =>
        this.#lifecycle.forbidden(code, nameOf(request.sessionID), data, { request }),
    };
    return sessionRule(context, predicate, options);
  }

  /**
   * Issues a ticket for the session of a request: it lets one connection in, without the cookie. For pages on another host
   * than their sockets, and clients without cookies. It is good once, within `ticketMs`, for a client of the request's
   * `Origin` (of none, if the request has none), and while the session has not ended and keeps its id. Rejects with
   * `INVALID_OPTION`, `SESSION_ENDED` if the session is not stored, `STORE_UNSUPPORTED` if the store can't keep tickets,
   * `STORE_FAILED`, `STORE_TIMEOUT`.
   */
  async ticket(request: IncomingMessage, ...none: []): Promise<Ticket> {
    refuseCallback("sessions.ticket()", none);
    requireSession("sessions.ticket(req)", request);
    const session = this.of(request);
    requireTickets(this.#core);
    await session.reload();
    return this.#core.tickets.issue(request.sessionID, request.headers.origin);
  }

  /**
   * A router for what pages ask of their session, with JSON as answers (see `docs/protocol.md`): `GET /state`; `POST /renew`, by
   * which the session goes on and the browser keeps its cookie as long again; `POST /ticket`. Put it behind
   * `sessions.express()`: `app.use("/session", sessions.routes())`.
   */
  routes(...none: []): Middleware {
    const write = 'Write app.use("/session", sessions.routes()).';
    requireOwner(this, "sessions.routes()", write);
    refuseRequest("sessions.routes()", none, write);
    refuseArguments("sessions.routes()", none);
    return sessionRoutes({
      ...this.#core.options,
      report: (error) => this.#report(error),
      onRefusal: (code, request, cause) => this.#refuse(code, request, cause),
      isDown: () => !this.#requests.isConnected,
      ticket: (request) => this.ticket(request),
      state: (request) => this.#requests.state(request, this.#sockets.share),
      renew: async (request, send) => {
        this.#lifecycle.renewed(await this.#requests.renew(request, this.#sockets.share, send), request);
      },
      leave: (request, isOver) => this.#requests.leave(request, isOver),
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
   * Also with `INVALID_OPTION`, the login undone, if another call replaced or removed the request's session while it ran; and
   * with `USER_SESSIONS_FULL`, if the user has as many sessions as `sessionsPerUser` allows.
   */
  async login(request: IncomingMessage, data: AppData, ...none: []): Promise<LiveSession> {
    requireOwner(this, "sessions.login(req, data)", "Write sessions.login(req, data).");
    refuseCallback("sessions.login()", [data, ...none]);
    const session = await this.#requests.login(request, data);
    this.#lifecycle.loggedIn(session.publicId, request);
    return session;
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
    request: IncomingMessage,
    response: ServerResponse,
    options: LogoutOptions = {},
    ...none: []
  ): Promise<boolean> {
    requireOwner(this, "sessions.logout(req, res)", "Write sessions.logout(req, res).");
    refuseCallback("sessions.logout()", [response, options, ...none]);
    return this.#requests.logout(request, response, options);
  }

  /**
   * Ends a session everywhere, as `revoked`: by its id, or by its public id if it is live on this node (any session of a
   * user, live or not: `user(id).end({ publicId })`). `message`: words for the page. False if there was none. Rejects
   * with `INVALID_OPTION` before it ends anything, `STORE_FAILED`, `STORE_TIMEOUT`.
   *
   * With `receipt: true`, resolves to which nodes have closed how many sockets, and which have not answered within 5 s.
   */
  end(
    session: string | { publicId: string },
    endOptions: EndSessionOptions & { receipt: true },
    ...none: []
  ): Promise<EndReceipt>;
  end(
    session: string | { publicId: string },
    endOptions?: EndSessionOptions & { receipt?: false },
    ...none: []
  ): Promise<boolean>;
  async end(
    session: string | { publicId: string },
    endOptions: EndSessionOptions = {},
    ...none: []
  ): Promise<boolean | EndReceipt> {
    const method = "sessions.end()";
    refuseCallback(method, [endOptions, ...none]);
    const { receipt, ...words } = endSessionOptionsOf(method, endOptions);
    const key = typeof session === "string" ? this.#core.nameOf(session) : this.#liveKey(session);
    if (!key) return receipt && nothingToEnd;
    const { hub } = this.#core;
    return hub.actors.run<Promise<boolean | EndReceipt>>({ by: "application" }, () =>
      receipt ? endWithReceipt(hub, key, words) : hub.end(key, "revoked", words),
    );
  }

  /**
   * All sessions of a user, on all nodes: to list and to end them. Throws `STORE_UNSUPPORTED` if the store has no index
   * of users, and `INVALID_OPTION` without the `userId` option, or if `id` names no user.
   */
  user(id: string | number): UserSessions {
    const { options, handles, nameOf } = this.#core;
    return userSessions(options, { ...handles, nameOf }, id);
  }

  /**
   * Ends all sessions, as `revoked`, on all nodes, live or not; with options, some. Resolves to the number of ended sessions.
   * Does not include logins that happen while it runs. Reads all sessions of the store at once. Rejects with
   * `INVALID_OPTION`, `STORE_UNSUPPORTED` if the store can't list, or with what `where` throws, before it ends any; with
   * `STORE_FAILED` or `STORE_TIMEOUT` if one could not be ended, after it has tried all others.
   */
  async endAll(options: EndAllOptions = {}, ...none: []): Promise<number> {
    requireOwner(this, "sessions.endAll()", "Write sessions.endAll().");
    return endAll(this.#core, options, none);
  }

  stats(): Stats {
    const {
      hub,
      activity,
      options: { store },
    } = this.#core;
    return {
      live: hub.entries.live,
      connections: this.#sockets.size,
      refused: this.#refusals.counts,
      touches: activity.touches,
      conflicts: this.#conflicts,
      discarded: this.#discarded,
      store: {
        name: store.name,
        atomic: store.atomic,
        feed: hub.freshness.feed.state,
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
  async close(closeOptions: CloseOptions = {}, ...none: []): Promise<void> {
    const method = "sessions.close()";
    const cure = "As a listener, write () => sessions.close().";
    requireOwner(this, method, cure);
    if (typeof closeOptions === "string")
      throw invalid(`${method} expects an object of options`, closeOptions, cure);
    refuseCallback(method, [closeOptions, ...none]);
    checkOptions(method, closeOptions, ["overMs"]);
    const overMs = milliseconds("overMs", closeOptions.overMs, 0, { most: maxDelayMs });
    this.#isClosed = true;
    const alive = setInterval(() => {}, maxDelayMs); // a clock's timers let the process end
    await this.#sockets.close(overMs);
    const {
      hub,
      activity,
      handles,
      options: { clock, store },
    } = this.#core;
    const underWay = this.#requests.settled().then(() => handles.updates.idle());
    await atMost(clock, maxWaitAtCloseMs, underWay);
    clearInterval(alive);
    this.#requests.close();
    activity.close();
    await hub.close();
    await store.close();
  }

  #liveKey(session: { readonly publicId: string }): SessionKey | undefined {
    const method = "sessions.end()";
    const isNamed = typeof session === "object" && session !== null && Object.hasOwn(session, "publicId");
    if (isNamed) checkOptions(method, session, ["publicId"]);
    if (!isNamed || typeof session.publicId !== "string") {
      const cure = "Give it req.sessionID, or { publicId: socket.session.publicId }.";
      throw invalid(`${method} expects the id of a session, or { publicId }`, session, cure);
    }
    return this.#core.hub.entries.ofPublicId(session.publicId)?.key;
  }

  #refuse(code: RefusalCode, request: IncomingMessage | undefined, cause: unknown): void {
    const isOther = code === "SESSION_REQUIRED" || code === "SESSION_ENDED";
    if (isOther && !this.#requests.hasMiddleware) this.#warnings.noMiddleware(code);
    this.#lifecycle.refused(code, request);
    this.announce("refuse", this.#refusals.add(code, request, cause));
    if (cause !== undefined) this.#report(cause);
    this.#refusals.warn(code, request);
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

function requireTickets({ tickets, options: { store } }: Core): void {
  if (tickets.areKept) return;
  const message = `sessions.ticket() needs a store that can keep tickets, and the ${store.name} store can't: it can't take one atomically, so that it is used once. Use a store of this package, such as redisStore().`;
  throw new SocketSessionError("STORE_UNSUPPORTED", message);
}

/** Refuses a method that was passed on without its object, a common slip with frameworks and the recipe. */
function requireOwner(owner: unknown, method: string, cure: string): void {
  if (owner instanceof LiveSessions) return;
  const message = `${method} expects to be called on \`sessions\`; it was passed on without, or destructured. ${cure}`;
  throw new SocketSessionError("INVALID_OPTION", message);
}
