import type { Server, Socket } from "socket.io";
import { batches, nextTurn } from "../base/batches.ts";
import { pause, randomOf } from "../base/clock.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { Pace } from "../base/pace.ts";
import type { RefusalCode } from "../protocol.ts";
import type { Share } from "../session/share.ts";
import { Admission, type Decision } from "./admission.ts";
import type { Exchange } from "./exchange.ts";
import { OpenedConnection } from "./opened-connection.ts";
import { sessionPids } from "./recovery.ts";
import { sendRefusal } from "./refusal-packet.ts";
import { answerTo } from "./rejection.ts";
import { hideFromHandshake, SeenRequests } from "./request-view.ts";
import { hookServer } from "./server-hooks.ts";
import { type ConnectionContext, SessionConnection } from "./session-connection.ts";
import { StateMessages } from "./state-messages.ts";
import { UnprovenClients, type UnprovenOptions } from "./unproven-clients.ts";
import { answeredBy } from "./unsent.ts";
import {
  type Auth,
  codecOf,
  type Engine,
  type EngineConnection,
  type EngineRequest,
  queryOf,
} from "./upstream.ts";
import type { SocketHooks } from "./upstream-sockets.ts";
import { guardOf } from "./upstream-traffic.ts";

/** Closing a connection takes some 0.1 ms, so a turn of the event loop spends a millisecond or two on these. */
const closedPerTurn = 10;
/** On average. So about 1,000 clients come back in a second, and each reads the store once. */
const returnsPauseMs = 10;
/** Where `close()` takes its time, it closes some connections this often. */
const closingStepMs = 10;

export interface GatewayOptions extends UnprovenOptions {
  readonly context: Omit<ConnectionContext, "codec" | "pidsOf" | "states" | "dismissals" | "returns">;
  readonly share: Share | undefined;
  /** `express-session` runs on Engine.IO's requests, or on a socket's, where it does nothing. */
  readonly onExpressSession: () => void;
}

/** `isAdmitted`: the page's origin is admitted, so the page may read the code. */
type Reject = (code: RefusalCode, isAdmitted: boolean, cause?: unknown) => void;

/** A request on its way through Engine.IO. */
interface Handshake {
  readonly decision: Exclude<Decision, { kind: "rejected" }>;
  /** Called once it has become a connection. */
  readonly arrived: () => void;
}

/**
 * The gateway before one Socket.IO server: decides on each handshake before Engine.IO sees it, compares each later
 * request with its handshake, and gives each socket its session.
 */
export class SocketGateway {
  readonly #options: GatewayOptions;
  readonly #context: ConnectionContext;
  readonly #admission: Admission;
  readonly #requests: SeenRequests<Handshake>;
  /** By Engine.IO's id. */
  readonly #opened = new Map<string, OpenedConnection>();
  readonly #clients: UnprovenClients;
  #closed = false;

  constructor(io: Server, options: GatewayOptions) {
    this.#options = options;
    const { context, share } = options;
    const { hub, isExempt } = context;
    const { clock } = hub;
    const codec = codecOf(io);
    const later = (then: () => void) => void clock.after(returnsPauseMs * (0.5 + randomOf(clock)), then);
    this.#context = {
      ...context,
      codec,
      states: share && new StateMessages({ hub, share, codec, isExempt }),
      pidsOf: sessionPids(options.secrets),
      dismissals: new Pace(closedPerTurn, (then) => void setImmediate(then)),
      returns: new Pace(closedPerTurn, later),
    };
    this.#requests = new SeenRequests(options.onExpressSession);
    this.#admission = new Admission(options, this.#context);
    this.#clients = new UnprovenClients(options, this.#context, this.#admission, () => this.#closed);
    hookServer(io, {
      report: this.#context.hub.report,
      mayJoin: (socket) => socket.conn.readyState === "open" && (guardOf(socket)?.isServable ?? true),
      connected: (socket, connection) => {
        if (this.#opened.has(connection.id)) this.#context.states?.connected(socket, connection);
      },
      seen: (request) => void this.#requests.of(request),
      decide: (engine, request, exchange) => this.#guard(engine, request, exchange),
      webTransport: () => options.onRefusal("TRANSPORT_REFUSED", undefined, undefined),
      opened: (connection, pass) => this.#receive(connection, pass),
      enter: (connection, ...rest) => this.#enter(connection, ...rest),
      shown: (namespace, auth) => this.#clients.shown(namespace, auth),
      born: (socket, connection) => this.#welcome(socket, connection),
      pids: (connection) => this.#opened.get(connection.id)?.own?.pids,
      mayRecover: (connection, namespace) => {
        const followed = this.#opened.get(connection.id)?.own?.followed;
        return followed !== undefined && this.#context.rules.allow(namespace, followed);
      },
    });
  }

  /** How many connections hold a session or are guests. */
  get size(): number {
    return this.#holding().length;
  }

  get isClosed(): boolean {
    return this.#closed;
  }

  /**
   * Closes all connections, so that stock clients try another node, and admits no more until another gateway takes
   * over. Ends no session. Those that are not closed yet are served until then.
   */
  async close(overMs: number): Promise<void> {
    this.#closed = true;
    this.#clients.closeAll();
    const { clock } = this.#context.hub;
    const holding = this.#holding();
    const size = overMs > 0 ? Math.ceil((holding.length * closingStepMs) / overMs) : closedPerTurn;
    const groups = [...batches(holding, Math.min(size, closedPerTurn))];
    for (const [index, group] of groups.entries()) {
      if (index > 0) await (overMs > 0 ? pause(clock, overMs / (groups.length - 1)) : nextTurn());
      for (const own of group) own.close();
    }
  }

  /** Another gateway takes over, and compares no request of these connections. */
  closeNow(): void {
    for (const own of this.#holding()) own.close();
  }

  #holding(): SessionConnection[] {
    return [...this.#opened.values()].flatMap(({ own }) => own ?? []);
  }

  #guard(engine: Engine, request: EngineRequest, exchange: Exchange): void {
    const reject: Reject = (code, isAdmitted, cause) => {
      this.#options.onRefusal(code, request, cause);
      const { error, text } = answerTo(code);
      const event = { req: request, code: error, message: text, context: { name: code } };
      this.#context.hub.callListener(() => void engine.emit("connection_error", event));
      exchange.reject(code, isAdmitted);
    };
    const fail = (cause: unknown) => reject("BAD_REQUEST", false, cause);
    const { sid } = queryOf(request) ?? {};
    const fault = this.#admission.check(request);
    if (fault) reject(fault, false);
    else if (sid) this.#compare(this.#opened.get(sid), request, exchange, reject)?.catch(fail);
    else if (this.#closed) reject("STORE_UNAVAILABLE", false);
    else void this.#handshake(request, exchange, reject).catch(fail);
  }

  /** A poll or upgrade must prove what its connection was opened with. */
  #compare(
    opened: OpenedConnection | undefined,
    request: EngineRequest,
    exchange: Exchange,
    reject: Reject,
  ): Promise<void> | undefined {
    const proceed = (fault: RefusalCode | undefined) => {
      // a logout has removed the cookie: the poll fetches the farewell, and no more than that
      const isFarewell = fault === "COOKIE_MISSING" && opened?.own?.isEnded;
      if (fault && !isFarewell) return reject(fault, fault !== "ORIGIN_REFUSED");
      // the messages waiting for this poll may be stale by now: the getter then closes the connection, and drops them
      if (opened && opened.connection.writeBuffer.length > 0) void opened.own?.isServable;
      if (opened) this.#requests.of(request).proven = opened;
      if (opened && exchange.response) answeredBy(opened.connection, exchange.response);
      exchange.pass();
    };
    const fault = this.#admission.compare(request, opened?.proof, opened?.isUnstored);
    if (fault instanceof Promise) return fault.then(proceed);
    proceed(fault);
    return undefined;
  }

  async #handshake(request: EngineRequest, exchange: Exchange, reject: Reject) {
    const decision = await this.#admission.decide(request, () => this.#closed);
    if (decision.kind === "rejected") {
      const cause = this.#closed ? undefined : decision.cause; // the store may be closed by now
      reject(decision.code, decision.code !== "ORIGIN_REFUSED", cause);
      return;
    }
    let arrived = () => {};
    const seen = this.#requests.of(request);
    const connection = decision.kind === "admitted" ? decision.connection : decision.guest;
    if (connection) {
      if (exchange.isGone() || this.#closed) {
        connection.release();
        if (this.#closed) reject("STORE_UNAVAILABLE", true);
        return;
      }
      arrived = exchange.onGone(() => connection.release());
      seen.proven = connection;
      if (decision.setCookie !== undefined) exchange.setCookie(decision.setCookie);
    }
    seen.handshake = { decision, arrived };
    exchange.pass();
  }

  #receive(connection: EngineConnection, pass: () => void): boolean {
    const seen = connection.request && this.#requests.of(connection.request);
    if (!seen?.handshake || this.#closed) {
      connection.close(true); // it came by a way that is not watched, or too late
      return false;
    }
    const { decision, arrived } = seen.handshake;
    seen.handshake = undefined;
    arrived();
    const opened = new OpenedConnection(connection, decision.proof, decision.guest);
    this.#opened.set(connection.id, opened);
    seen.proven = opened;
    connection.on("close", () => {
      this.#opened.delete(connection.id);
      opened.closed();
    });
    if (decision.kind === "unproven") return this.#clients.hold(opened, decision.refusal, pass);
    if (opened.bind(decision.connection)) return true;
    return connection.readyState === "open" && this.#clients.hold(opened, { code: "SESSION_ENDED" }, pass);
  }

  /** See `SocketHooks.enter`. A ticket is checked first: a client that is refused for it takes no place. */
  #enter(connection: EngineConnection, namespace: string, auth: Auth): ReturnType<SocketHooks["enter"]> {
    const opened = this.#opened.get(connection.id);
    const hasPlace = () => opened?.own?.takePlace(namespace) !== false;
    const placed = (shown: Auth | undefined) =>
      !shown || hasPlace() ? shown : this.#enterLate(connection, namespace, hasPlace, shown);
    const entered = this.#clients.enter(opened, namespace, auth);
    return entered instanceof Promise ? entered.then(placed) : placed(entered);
  }

  /**
   * Socket.IO handles packets in the next tick, but a `CONNECT` at once: the client may have left another namespace just before.
   * If that leaves no place either, other clients of the session may be gone.
   */
  async #enterLate(connection: EngineConnection, namespace: string, hasPlace: () => boolean, auth: Auth) {
    await nextTurn();
    if (hasPlace()) return auth;
    for (let mayBeFree = true; mayBeFree; ) {
      mayBeFree = (await this.#opened.get(connection.id)?.own?.placeFreed()) ?? true;
      if (hasPlace()) return auth;
    }
    const { codec, hub } = this.#context;
    const code = "TOO_MANY_SOCKETS";
    this.#options.onRefusal(code, connection.request ?? undefined, undefined);
    const refuse = () => sendRefusal(connection, codec, namespace, code);
    isolate(refuse, hub.report, "The application's parser, at a refusal,");
    return undefined;
  }

  /** Gives a new socket its session. A socket of a closed or unknown connection is dropped before any middleware. */
  #welcome(socket: Socket, connection: EngineConnection): void {
    const own = this.#opened.get(connection.id)?.own;
    // not admitted by this gateway, or closed: it reconnects, and is checked
    if (!own?.mayUse(socket.nsp.name)) connection.close(true);
    if (!this.#context.isExempt(socket.nsp.name)) hideFromHandshake(socket.handshake);
    (own ?? new SessionConnection(this.#context)).welcome(socket);
    if (socket.recovered && own?.followed) own.rules.recovered(socket, own.followed);
  }
}
