/** The answer to a request that Engine.IO is not given. Its form is Engine.IO's, specified in `docs/protocol.md`. */
import type { ServerResponse } from "node:http";
import type { Http2ServerResponse } from "node:http2";
import type { Duplex } from "node:stream";
import type { SocketSessionError } from "../base/errors.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { type RefusalCode, type RefusalData, refusals } from "../protocol.ts";
import type { Engine, EngineRequest } from "./upstream.ts";
import { applyMiddlewares } from "./upstream-pages.ts";

export interface Answer {
  readonly status: number;
  readonly text: string;
  /** Engine.IO's number for it. */
  readonly error: number;
}

export function answerTo(code: RefusalCode): Answer {
  if (code === "STORE_UNAVAILABLE") return { status: 503, text: "Service Unavailable", error: 4 };
  if (code === "BAD_REQUEST") return { status: 400, text: "Bad Request", error: 3 };
  return { status: 403, text: "Forbidden", error: 4 };
}

interface HttpRefusal {
  readonly code: RefusalCode;
  /** A page of another origin may read it though `cors` does not say so. */
  readonly mayRead: boolean;
  readonly report: (error: SocketSessionError) => void;
}

/**
 * With the headers that the application's own middlewares of Engine.IO put on any answer, `cors` above all: where a page may
 * read answers, it may read this one. Where what they have put on the response throws, the client is cut off, and `report` gets it.
 */
export function rejectRequest(
  engine: Engine,
  request: EngineRequest,
  response: ServerResponse,
  refusal: HttpRefusal,
): void {
  const cutOff = (error: SocketSessionError) => {
    refusal.report(error);
    response.destroy();
  };
  const answer = () => answerWith(refusal, request, response);
  applyMiddlewares(engine, request, response, () =>
    isolate(answer, cutOff, "A middleware of Engine.IO, as a request was refused,"),
  );
}

function answerWith({ code, mayRead }: HttpRefusal, request: EngineRequest, response: ServerResponse): void {
  if (isGone(response) || response.writableEnded) return; // a middleware may have answered it
  if (response.headersSent) {
    response.end();
    return;
  }
  const { origin } = request.headers;
  if (mayRead && origin !== undefined) letRead(origin, response);
  const { status } = answerTo(code);
  const isHttp1 = request.httpVersionMajor < 2; // a later one has no such header
  response.writeHead(status, {
    "Content-Type": "application/json",
    ...(isHttp1 ? { Connection: "close" } : {}),
  });
  response.end(bodyOf(code));
}

/** Without headers of middlewares: no browser shows a page what a WebSocket was answered. */
export function rejectUpgrade(socket: Duplex, code: RefusalCode): void {
  const body = bodyOf(code);
  const { status, text } = answerTo(code);
  const head = `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

/** Whether its client has left. HTTP/2 knows that of the stream alone. */
export function isGone(response: ServerResponse | Http2ServerResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}

function bodyOf(code: RefusalCode): string {
  const { error, text } = answerTo(code);
  const data: RefusalData = { code };
  return JSON.stringify({ code: error, message: text, context: refusals[code].meaning, data });
}

function letRead(origin: string, response: ServerResponse): void {
  if (response.hasHeader("Access-Control-Allow-Origin")) return; // the application has decided
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  const vary = String(response.getHeader("Vary") ?? "");
  if (!/\*|(^|,)\s*origin\s*(,|$)/i.test(vary))
    response.setHeader("Vary", vary ? `${vary}, Origin` : "Origin");
}
