import type { ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { type RefusalCode, refusals } from "../protocol.ts";
import {
  type Engine,
  type EngineConnection,
  type EngineRequest,
  queryOf,
  withoutConnection,
} from "./upstream.ts";

/** A handshake, poll or upgrade, whatever it is answered through. */
export interface Exchange {
  pass(): void;
  reject(code: RefusalCode): void;
  onGone(gone: () => void): void;
  isGone(): boolean;
}

/** Who is asked before Engine.IO is. */
export interface EngineWatch {
  /** Of every request, also those that nothing is decided on. */
  seen(request: EngineRequest): void;
  decide(request: EngineRequest, exchange: Exchange): void;
  webTransport(): void;
  /** Engine.IO has a new connection; false if Socket.IO shall not hear of it. */
  opened(connection: EngineConnection): boolean;
}

/** Stands before an Engine.IO server: all that comes to it passes `watch` first. */
export function watchEngine(engine: Engine, watch: EngineWatch): void {
  const { handleRequest, handleUpgrade, emit } = engine;
  engine.handleRequest = (request, response) => {
    const pass = () => handleRequest.call(engine, request, response);
    const query = queryOf(request);
    watch.seen(request);
    // A CORS preflight carries no cookie, and a plain request is none of a WebSocket's: no transport would answer it.
    if (request.method === "OPTIONS" || (query?.sid && query.transport !== "polling")) {
      withoutConnection(request);
      pass();
      return;
    }
    watch.decide(request, {
      pass,
      reject: (code) => rejectRequest(response, code),
      onGone: (gone) => void response.once("close", gone),
      isGone: () => response.destroyed,
    });
  };
  engine.handleUpgrade = (request, socket, head) => {
    socket.on("error", ignoreReset);
    watch.seen(request);
    watch.decide(request, {
      pass: () => handleUpgrade.call(engine, request, socket, head),
      reject: (code) => rejectUpgrade(socket, code),
      onGone: (gone) => void socket.once("close", gone),
      isGone: () => socket.destroyed,
    });
  };
  engine.onWebTransportSession = async (session) => {
    watch.webTransport();
    session.close();
  };
  engine.emit = (event, ...args) => {
    if (event === "connection" && !watch.opened(args[0] as EngineConnection)) return true;
    return emit.call(engine, event, ...args);
  };
}

/** A peer that resets while its upgrade waits would otherwise raise an uncaught error. */
function ignoreReset(): void {}

function bodyOf(code: RefusalCode): string {
  return JSON.stringify({ code: 4, message: "Forbidden", context: refusals[code].meaning });
}

function statusOf(code: RefusalCode): [number, string] {
  if (code === "STORE_UNAVAILABLE") return [503, "Service Unavailable"];
  return code === "BAD_REQUEST" ? [400, "Bad Request"] : [403, "Forbidden"];
}

function rejectRequest(response: ServerResponse, code: RefusalCode): void {
  if (!response.headersSent)
    response.writeHead(statusOf(code)[0], { "Content-Type": "application/json", Connection: "close" });
  response.end(bodyOf(code));
}

function rejectUpgrade(socket: Duplex, code: RefusalCode): void {
  const body = bodyOf(code);
  const head = `HTTP/1.1 ${statusOf(code).join(" ")}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}
