import type { IncomingMessage, ServerResponse } from "node:http";
import session, { type Store } from "express-session";
import { invalid } from "./base/arguments.ts";
import { HiddenProperty } from "./base/hidden-property.ts";
import type { Core } from "./core.ts";
import type { HttpContext } from "./http/http-context.ts";
import { LoadedSessions } from "./http/loaded-sessions.ts";
import { logIn } from "./http/login.ts";
import { type LogoutOptions, logOut } from "./http/logout.ts";
import { forRequests, type Middleware } from "./http/middleware.ts";
import { leave, renew, stateOf } from "./http/page-state.ts";
import { ownStoreOf, type Request } from "./http/request-checks.ts";
import { requestSession } from "./http/request-session.ts";
import { Responses } from "./http/responses.ts";
import { signedCookie } from "./http/signed-cookie.ts";
import { StoreFacade } from "./http/store-facade.ts";
import type { StateMessage } from "./protocol.ts";
import type { SessionHandle } from "./session/session-handle.ts";
import type { Share } from "./session/share.ts";
import type { SessionKey } from "./session-store.ts";
import { cookieValue, verifiedCookie } from "./socket/session-cookie.ts";
import { isCookieWithheld } from "./warnings/insecure-cookie.ts";

interface RequestEvents extends Pick<HttpContext, "onConflict" | "onDiscard"> {
  /** The middleware was given a request of Engine.IO. */
  readonly onEngineUse: () => void;
  /** A session was stored whose `secure` cookie the response can't set. */
  readonly onInsecureCookie: () => void;
}

/** Sessions as requests use them: `express-session` over the core's store, and what is asked of a request's session. */
export class RequestSide {
  readonly #core: Core;
  readonly #events: RequestEvents;
  readonly #loaded: LoadedSessions;
  readonly #responses = new Responses();
  readonly #handles = new HiddenProperty<SessionHandle>("handle");
  readonly #undo: (() => void)[] = [];
  #hasMiddleware = false;
  #isConnected = true;

  constructor(core: Core, events: RequestEvents) {
    this.#core = core;
    this.#events = events;
    this.#loaded = new LoadedSessions(core.hub, core.nameOf);
  }

  /** Whether a request can have one of these sessions. */
  get hasMiddleware(): boolean {
    return this.#hasMiddleware;
  }

  /** Whether the store has a connection. If not, `express-session` gives requests no session. */
  get isConnected(): boolean {
    return this.#isConnected;
  }

  express(): Middleware {
    const { shared } = this.#core.options;
    const onCreate = (session: object) => {
      if (isCookieWithheld(session, shared.proxy)) this.#events.onInsecureCookie();
    };
    const store = this.#openStore(shared.genid === undefined, onCreate);
    return forRequests(this.middleware(store), this.#responses, this.#events.onEngineUse);
  }

  /** `express-session` with the options of the application. Its types ask for Express's request and response, and it uses Node's. */
  middleware(store: Store): Middleware {
    const { shared, name, secrets } = this.#core.options;
    return session({ ...shared, name, secret: [...secrets], resave: false, store }) as Middleware;
  }

  store(): Store {
    return this.#openStore(false, () => {});
  }

  #openStore(idsAreNew: boolean, onCreate: HttpContext["onCreate"]): Store {
    this.#hasMiddleware = true;
    const { options, ...core } = this.#core;
    const { store } = options;
    const http = { ...core, ...this.#events, store, loaded: this.#loaded, responses: this.#responses };
    const facade = new StoreFacade({ ...http, onCreate }, idsAreNew);
    const undo = store.connectivity?.((state) => {
      this.#isConnected = state === "connected";
      facade.emit(state === "connected" ? "connect" : "disconnect");
    });
    if (undo) this.#undo.push(undo);
    return facade;
  }

  of(request: Request): SessionHandle {
    const { handles, nameOf } = this.#core;
    const key = nameOf(request.sessionID);
    const known = this.#handles.get(request);
    if (known?.publicId === key.publicId && known.state !== "ended") return known;
    const handle = requestSession(handles, this.#loaded, key, request);
    this.#handles.set(request, handle);
    const settled = this.#responses.settled(request);
    if (settled) void settled.then(() => handle.release());
    else handle.release();
    return handle;
  }

  /** The data that a request has loaded or stored; undefined if its session is not stored, or is over. */
  dataOf(request: Request): SessionHandle["data"] | undefined {
    const { session, sessionID } = request;
    const { hub, nameOf } = this.#core;
    if (!ownStoreOf(request, hub)) {
      const cure = "Put sessions.express() before the rule.";
      throw invalid("A rule expects a request with a session of its own", request.sessionStore, cure);
    }
    const base = session && this.#loaded.of(sessionID, session).base;
    return !base || hub.ends.has(nameOf(sessionID), base.since) ? undefined : base.stored.data;
  }

  /** See `stateOf`. */
  state(request: Request, share: Share | undefined): Promise<StateMessage> {
    return stateOf({ ...this.#core, share }, request);
  }

  /**
   * See `renew`. `send` is also given the line that sets the cookie for its full life time again, if it has one of its own.
   * `express-session` adds no touch, which would hold the answer back.
   */
  renew(
    request: Request,
    share: Share | undefined,
    send: (state: StateMessage, cookie: string | undefined) => void,
  ): Promise<SessionKey> {
    const context = { ...this.#core, share, loaded: this.#loaded };
    return renew(context, request, (state) => {
      const cookie = this.#renewedCookie(request);
      this.leave(request, false);
      send(state, cookie);
    });
  }

  /** See `leave`. */
  leave(request: Request, isOver: boolean): void {
    leave({ hub: this.#core.hub, loaded: this.#loaded }, request, isOver);
  }

  /** As `express-session` would set it. */
  #renewedCookie({ session, sessionID }: Request): string | undefined {
    const { shared, name, secrets } = this.#core.options;
    const hasLife = typeof session.cookie.originalMaxAge === "number";
    if (!hasLife || isCookieWithheld(session, shared.proxy)) return undefined;
    session.touch();
    return signedCookie(name, secrets, sessionID, session.cookie);
  }

  login(request: IncomingMessage, data: unknown): Promise<SessionHandle> {
    const { hub, options } = this.#core;
    const { maxSessionBytes } = options;
    const of = (one: Request) => this.of(one);
    return logIn({ hub, responses: this.#responses, maxSessionBytes, of }, request, data);
  }

  logout(request: IncomingMessage, response: ServerResponse, options: LogoutOptions): Promise<boolean> {
    const {
      hub,
      nameOf,
      options: { name, shared, secrets },
    } = this.#core;
    const sidOf = ({ headers }: IncomingMessage) => {
      const cookie = verifiedCookie(cookieValue(headers.cookie, name), secrets);
      return cookie.kind === "signed" ? cookie.sid : undefined;
    };
    return logOut({ hub, nameOf, name, shared, sidOf }, request, response, options);
  }

  /** Resolves once the requests under way have ended. */
  settled(): Promise<void> {
    return this.#responses.allSettled();
  }

  close(): void {
    for (const undo of this.#undo.splice(0)) undo();
    this.#loaded.close();
  }
}
