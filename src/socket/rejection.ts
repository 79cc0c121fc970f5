/** Answers requests that Engine.IO does not receive, in Engine.IO's own form; see `docs/protocol.md`. */
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
  /** A page of another origin may read the answer even if `cors` does not allow it. */
  readonly mayRead: boolean;
  readonly report: (error: SocketSessionError) => void;
}

/**
 * The answer has the headers that the application's Engine.IO middlewares set, above all `cors`: a page that may read
 * answers may read this one. If the middlewares' hooks on the response throw, the client is cut off and `report`
 * receives the error.
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
  if (isGone(response) || response.writableEnded) return; // a middleware may have answered
  if (response.headersSent) {
    response.end();
    return;
  }
  const { origin } = request.headers;
  if (mayRead && origin !== undefined) letRead(origin, response);
  const { status } = answerTo(code);
  const isHttp1 = request.httpVersionMajor < 2; // HTTP/2 and later have no such header
  response.writeHead(status, {
    "Content-Type": "application/json",
    ...(isHttp1 ? { Connection: "close" } : {}),
  });
  response.end(bodyOf(code));
}

/** Without the middlewares' headers: browsers show no page the answer to a WebSocket request. */
export function rejectUpgrade(socket: Duplex, code: RefusalCode): void {
  const body = bodyOf(code);
  const { status, text } = answerTo(code);
  const head = `HTTP/1.1 ${status} ${text}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n`;
  socket.end(head + body, () => socket.destroy());
}

/** Whether the client has left. In HTTP/2 only the stream knows. */
export function isGone(response: ServerResponse | Http2ServerResponse): boolean {
  return "stream" in response ? response.stream.destroyed : response.destroyed;
}

function bodyOf(code: RefusalCode): string {
  const { error, text } = answerTo(code);
  const data: RefusalData = { code };
  return JSON.stringify({ code: error, message: text, context: refusals[code].meaning, data });
}

/** Lets a page of another origin read the answer, and send its cookies, unless the application has decided on it. */
export function letRead(origin: string, response: ServerResponse): void {
  if (response.hasHeader("Access-Control-Allow-Origin")) return; // the application has decided
  response.setHeader("Access-Control-Allow-Origin", origin);
  response.setHeader("Access-Control-Allow-Credentials", "true");
  const vary = String(response.getHeader("Vary") ?? "");
  if (!/\*|(^|,)\s*origin\s*(,|$)/i.test(vary))
    response.setHeader("Vary", vary ? `${vary}, Origin` : "Origin");
}
