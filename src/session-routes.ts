import type { ServerResponse } from "node:http";
import type { Clock } from "./base/clock.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { Secret } from "./data/session-key.ts";
import type { RequestHandler } from "./http/middleware.ts";
import type { Request } from "./http/request-checks.ts";
import { type RefusalCode, refusals } from "./protocol.ts";
import type { Ticket } from "./session/tickets.ts";
import type { OriginPolicy } from "./socket/origin.ts";
import { OriginCheck } from "./socket/origin-check.ts";
import { letRead } from "./socket/rejection.ts";
import { cookieValue, verifiedCookie } from "./socket/session-cookie.ts";

interface Wiring extends OriginPolicy {
  readonly name: string;
  readonly secrets: readonly Secret[];
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  readonly onRefusal: (code: RefusalCode, request: Request, cause: unknown) => void;
  readonly ticket: (request: Request) => Promise<Ticket>;
}

/** How long a browser may remember the answer to a preflight, in seconds. */
const preflightSeconds = 600;

/** What pages ask of their session by HTTP. Only pages that may open a socket here get an answer. */
export function sessionRoutes(wiring: Wiring): RequestHandler {
  const origins = new OriginCheck(wiring, wiring.clock, wiring.report);
  const answer = async (request: Request, response: ServerResponse): Promise<void> => {
    response.setHeader("Cache-Control", "no-store");
    const refuse = (status: number, code: RefusalCode, cause?: unknown) => {
      wiring.onRefusal(code, request, cause);
      send(response, status, { message: refusals[code].meaning, data: { code } });
    };
    if (!(await origins.isAllowed(request))) return refuse(403, "ORIGIN_REFUSED");
    const { origin } = request.headers;
    if (origin !== undefined) letRead(origin, response);
    if (request.method === "OPTIONS") return allowPreflight(response);
    try {
      send(response, 200, await wiring.ticket(request));
    } catch (error) {
      if (!(error instanceof SocketSessionError)) throw error;
      const { code } = error;
      if (code === "SESSION_ENDED") return refuse(401, faultOf(request, wiring));
      if (code !== "STORE_FAILED" && code !== "STORE_TIMEOUT") throw error;
      refuse(503, "STORE_UNAVAILABLE", error);
    }
  };
  return (request, response, next) => {
    if (pathOf(request) !== "/ticket") return next();
    if (request.method === "POST" || request.method === "OPTIONS") {
      answer(request, response).catch(next);
      return;
    }
    response.setHeader("Allow", "POST, OPTIONS");
    send(response, 405, { message: `A ticket is asked for by POST, not by ${request.method}.` });
  };
}

/** Why a request has no stored session. */
function faultOf(request: Request, { name, secrets }: Wiring): RefusalCode {
  const { kind } = verifiedCookie(cookieValue(request.headers.cookie, name), secrets);
  if (kind === "none") return "SESSION_REQUIRED";
  return kind === "invalid" ? "SESSION_INVALID" : "SESSION_ENDED";
}

function allowPreflight(response: ServerResponse): void {
  response.setHeader("Access-Control-Allow-Methods", "POST");
  response.setHeader("Access-Control-Allow-Headers", "content-type");
  response.setHeader("Access-Control-Max-Age", String(preflightSeconds));
  response.writeHead(204).end();
}

/**
 * Below the path where the router is mounted. As it was sent: with dot segments resolved, a path would be served that the
 * application's own middleware of this route has not seen.
 */
function pathOf({ url = "" }: Request): string | undefined {
  return url.replace(/^https?:\/\/[^/?]*/i, "").split("?")[0];
}

function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(JSON.stringify(body));
}
