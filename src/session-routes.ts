/** `sessions.routes()`: what pages ask of their session over HTTP. Specified in `docs/protocol.md`. */
import type { ServerResponse } from "node:http";
import type { Clock } from "./base/clock.ts";
import { SocketSessionError } from "./base/errors.ts";
import type { Secret } from "./data/session-key.ts";
import type { Middleware } from "./http/middleware.ts";
import { type Request, requireRequest } from "./http/request-checks.ts";
import { pathOf } from "./http/request-path.ts";
import { type RefusalCode, refusals, type StateMessage } from "./protocol.ts";
import type { Ticket } from "./session/tickets.ts";
import type { OriginPolicy } from "./socket/origin.ts";
import { OriginCheck } from "./socket/origin-check.ts";
import { letRead } from "./socket/rejection.ts";
import { cookieValue, verifiedCookie } from "./socket/session-cookie.ts";

interface Wiring extends OriginPolicy {
  readonly name: string;
  readonly secrets: readonly Secret[];
  readonly guests: "refuse" | "allow" | "create";
  readonly clock: Clock;
  readonly report: (error: unknown) => void;
  readonly onRefusal: (code: RefusalCode, request: Request, cause: unknown) => void;
  /** Whether the store is known to be without a connection. */
  readonly isDown: () => boolean;
  readonly ticket: (request: Request) => Promise<Ticket>;
  readonly state: (request: Request) => Promise<StateMessage>;
  readonly renew: (
    request: Request,
    send: (state: StateMessage, cookie: string | undefined) => void,
  ) => Promise<void>;
  /** Called right before an answer: has `express-session` neither extend the session nor set its cookie. */
  readonly leave: (request: Request, isOver: boolean) => void;
}

interface Route {
  readonly method: "GET" | "POST";
  /** Only asks. That is no activity, a guest has an answer, and to have no session is no refusal. */
  readonly isQuestion: boolean;
  /** Rejects with the errors of the session or the store. */
  readonly answer: (request: Request, response: ServerResponse) => Promise<void>;
}

function routesOf({ ticket, state, renew, leave }: Wiring): Readonly<Record<string, Route>> {
  return {
    "/ticket": {
      method: "POST",
      isQuestion: false,
      answer: async (request, response) => send(response, 200, await ticket(request)),
    },
    "/renew": {
      method: "POST",
      isQuestion: false,
      answer: (request, response) =>
        renew(request, (message, cookie) => {
          if (cookie !== undefined) response.appendHeader("Set-Cookie", cookie);
          send(response, 200, message);
        }),
    },
    "/state": {
      method: "GET",
      isQuestion: true,
      answer: async (request, response) => {
        const message = await state(request);
        leave(request, false);
        send(response, 200, message);
      },
    },
  };
}

/** How long a browser may remember the answer to a preflight, in seconds. */
const preflightSeconds = 600;

/** Only pages that may open a socket here get an answer. */
export function sessionRoutes(wiring: Wiring): Middleware {
  const routes = routesOf(wiring);
  const origins = new OriginCheck(wiring, wiring.clock, wiring.report);
  const answer = async (route: Route, request: Request, response: ServerResponse): Promise<void> => {
    const refuse = (status: number, code: RefusalCode, cause?: unknown) => {
      wiring.leave(request, status === 401);
      if (status !== 401 || !route.isQuestion) wiring.onRefusal(code, request, cause);
      send(response, status, { message: refusals[code].meaning, data: { code } });
    };
    if (!(await origins.isAllowed(request))) return refuse(403, "ORIGIN_REFUSED");
    const { origin } = request.headers;
    if (origin !== undefined) letRead(origin, response);
    if (request.method === "OPTIONS") return allowPreflight(route, response);
    if (!request.session && wiring.isDown()) return refuse(503, "STORE_UNAVAILABLE");
    try {
      await route.answer(request, response);
    } catch (error) {
      if (!(error instanceof SocketSessionError)) throw error;
      const { code } = error;
      if (code === "STORE_FAILED" || code === "STORE_TIMEOUT") return refuse(503, "STORE_UNAVAILABLE", error);
      if (code !== "SESSION_ENDED") throw error;
      const fault = faultOf(request, wiring);
      const mayBeGuest = wiring.guests !== "refuse" && fault !== "SESSION_INVALID";
      if (!route.isQuestion || !mayBeGuest) return refuse(401, fault);
      wiring.leave(request, true);
      send(response, 200, { state: "guest" } satisfies StateMessage);
    }
  };
  return (request, response, next) => {
    const path = pathOf(request.url ?? "");
    const route = Object.hasOwn(routes, path) ? routes[path] : undefined;
    if (!route) return next();
    requireRequest("sessions.routes()", request);
    response.setHeader("Cache-Control", "no-store");
    if (methodsOf(route).includes(request.method ?? "")) {
      answer(route, request, response).catch(next);
      return;
    }
    response.setHeader("Allow", methodsOf(route).join(", "));
    wiring.leave(request, false);
    send(response, 405, { message: `${path} is asked by ${route.method}, not by ${request.method}.` });
  };
}

/** Node sends no body to a HEAD. */
function methodsOf({ method }: Route): readonly string[] {
  return method === "GET" ? ["GET", "HEAD", "OPTIONS"] : [method, "OPTIONS"];
}

/** Why a request has no stored session. */
function faultOf(request: Request, { name, secrets }: Wiring): RefusalCode {
  const { kind } = verifiedCookie(cookieValue(request.headers.cookie, name), secrets);
  if (kind === "none") return "SESSION_REQUIRED";
  return kind === "invalid" ? "SESSION_INVALID" : "SESSION_ENDED";
}

function allowPreflight({ method }: Route, response: ServerResponse): void {
  response.setHeader("Access-Control-Allow-Methods", method);
  response.setHeader("Access-Control-Allow-Headers", "content-type");
  response.setHeader("Access-Control-Max-Age", String(preflightSeconds));
  response.writeHead(204).end();
}

/** No browser takes the answer to a GET for a script or a style of another page. */
function send(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "Content-Type": "application/json", "X-Content-Type-Options": "nosniff" });
  response.end(JSON.stringify(body));
}
