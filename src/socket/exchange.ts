import type { EventEmitter } from "node:events";
import type { SocketSessionError } from "../base/errors.ts";
import type { RefusalCode } from "../protocol.ts";
import { isGone, rejectRequest, rejectUpgrade } from "./rejection.ts";
import type { PollResponse } from "./unsent.ts";
import {
  type Engine,
  type EngineConnection,
  type EngineRequest,
  queryOf,
  withoutConnection,
} from "./upstream.ts";
import { announceToOthers, giveToSocketIo } from "./upstream-connections.ts";
import { HandshakeCookies } from "./upstream-cookies.ts";

/** A handshake, poll or upgrade, over either transport. Does nothing once the client has left. */
export interface Exchange {
  pass(): void;
  /** `mayRead`: whether the page may read the answer. */
  reject(code: RefusalCode, mayRead: boolean): void;
  /** Has a handshake's answer set a cookie; `line`: as in `Set-Cookie`. */
  setCookie(line: string): void;
  /** The response to a request by GET, as a poll is. */
  readonly response?: PollResponse | undefined;
  /** Calls `gone` when the client leaves; the returned function ends that. */
  onGone(gone: () => void): () => void;
  isGone(): boolean;
}

/** The callbacks that run before Engine.IO's own. */
export interface EngineWatch {
  /** Called for every request, also those that need no decision. */
  seen(request: EngineRequest): void;
  decide(request: EngineRequest, exchange: Exchange): void;
  webTransport(): void;
  readonly report: (error: SocketSessionError) => void;
  /** Engine.IO has a new connection; false keeps it from Socket.IO, and from no one else, until `pass` is called. */
  opened(connection: EngineConnection, pass: () => void): boolean;
}

/** Puts `watch` before an Engine.IO server: every request passes it first. */
export function watchEngine(engine: Engine, watch: EngineWatch): void {
  const { handleRequest, handleUpgrade, emit } = engine;
  const cookies = new HandshakeCookies();
  engine.handleRequest = (request, response) => {
    const pass = () => handleRequest.call(engine, request, response);
    const query = queryOf(request);
    if (asksForProxyHeaders(request)) {
      response.writeHead(403).end();
      return;
    }
    watch.seen(request);
    // A CORS preflight carries no cookie. A plain request can't belong to a WebSocket: no transport would answer it.
    if (request.method === "OPTIONS" || (query?.sid && query.transport !== "polling")) {
      withoutConnection(request);
      pass();
      return;
    }
    watch.decide(request, {
      response: request.method === "GET" ? response : undefined,
      pass: () => isGone(response) || pass(),
      reject: (code, mayRead) =>
        rejectRequest(engine, request, response, { code, mayRead, report: watch.report }),
      setCookie: (line) => cookies.set(request, line, response),
      onGone: (gone) => onClose(response, gone),
      isGone: () => isGone(response),
    });
  };
  engine.handleUpgrade = (request, socket, head) => {
    socket.on("error", ignoreReset);
    watch.seen(request);
    watch.decide(request, {
      pass: () => socket.destroyed || handleUpgrade.call(engine, request, socket, head),
      reject: (code) => rejectUpgrade(socket, code),
      setCookie: (line) => cookies.set(request, line),
      onGone: (gone) => onClose(socket, gone),
      isGone: () => socket.destroyed,
    });
  };
  engine.onWebTransportSession = async (session) => {
    watch.webTransport();
    session.close();
  };
  engine.emit = (event, ...args) => {
    if (event === "connection") {
      const connection = args[0] as EngineConnection;
      const isPassed = watch.opened(connection, () => giveToSocketIo(engine, connection));
      if (!isPassed && connection.readyState === "open") announceToOthers(engine, connection);
      if (!isPassed) return true;
    }
    const isHandled = emit.call(engine, event, ...args);
    if (event === "headers") cookies.addTo(args[0], args[1]);
    return isHandled;
  };
}

/**
 * Whether a page asks, by a preflight, to send a proxy's headers. No page needs to, but Socket.IO's `cors` allows any
 * header: with `proxy: true` the page could claim the server's own host. So it is refused before `cors` can answer.
 */
function asksForProxyHeaders({ method, headers }: EngineRequest): boolean {
  if (method !== "OPTIONS") return false;
  const names = headers["access-control-request-headers"]?.split(",") ?? [];
  return names.some((name) => /^(x-forwarded-|forwarded$)/i.test(name.trim()));
}

function onClose(stream: EventEmitter, gone: () => void): () => void {
  stream.once("close", gone);
  return () => stream.removeListener("close", gone);
}

/** Without it, a peer that resets while its upgrade waits would raise an uncaught error. */
function ignoreReset(): void {}
