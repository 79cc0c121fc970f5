import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "socket.io";
import type { LiveSession } from "./api.ts";
import { invalid } from "./base/arguments.ts";
import { SessionRefused } from "./base/errors.ts";
import { type Request, requireRequest } from "./http/request-checks.ts";
import { Rule, type RuleOptions, type RulePredicate } from "./session/rule.ts";
import { isMiddlewareOf } from "./socket/namespace-rules.ts";
import type { SocketRules } from "./socket/socket-rules.ts";
import { guardOf } from "./socket/upstream-traffic.ts";

/** A socket of a server that is attached; any `Socket` of socket.io 4.8 fits, however its events are typed. */
export interface RuleSocket {
  readonly id: string;
  readonly session: LiveSession;
  readonly handshake: unknown;
}

/**
 * A rule that a session has to satisfy: middleware for requests (`app.use("/admin", rule)`) and for sockets
 * (`io.of("/admin").use(rule)`).
 */
export interface SessionRule {
  /** Refuses a guest with `SESSION_REQUIRED`, and any other socket at which the rule does not hold with the rule's code. */
  (socket: RuleSocket, next: (error?: SessionRefused) => void): void;
  /**
   * Calls `next` with a `SessionRefused`: status 401 and `SESSION_REQUIRED` if the request has no stored session, 403
   * and `SESSION_FORBIDDEN` if the rule does not hold.
   */
  (request: IncomingMessage, response: ServerResponse, next: (error?: SessionRefused) => void): void;
  /** What refused pages get as `code`. */
  readonly code: string;
  /**
   * Joins a room for as long as the rule holds; false if it does not hold, or the socket is gone. The socket leaves the room
   * when the rule turns false, and joins again only when this is called again.
   */
  room(socket: RuleSocket, room: string): boolean;
}

interface RulesContext {
  readonly rules: SocketRules;
  readonly clock: ConstructorParameters<typeof Rule>[0]["clock"];
  readonly report: (error: unknown) => void;
  /** The data that a request has loaded or stored; undefined if its session is not stored. */
  readonly dataOf: (request: Request) => LiveSession["data"] | undefined;
  /** A rule has refused a request. */
  readonly onForbidden: (code: string, request: Request, data: LiveSession["data"]) => void;
}

type Next = (error?: SessionRefused) => void;

const what = "A rule of sessions.require()";

/** `sessions.require()`. Throws `INVALID_OPTION`. */
export function sessionRule(
  context: RulesContext,
  predicate: RulePredicate,
  options: RuleOptions,
): SessionRule {
  const rule = new Rule(context, predicate, options);
  const keep = (socket: unknown, room?: string): SessionRefused | undefined => {
    const { session, ...place } = ownSocket(context.rules, socket);
    if (session.state === "guest" || !place.followed) return new SessionRefused("SESSION_REQUIRED");
    return context.rules.keep(place.socket, place.followed, rule, room);
  };
  const check = (request: Request): SessionRefused | undefined => {
    const data = context.dataOf(request);
    if (!data) return new SessionRefused("SESSION_REQUIRED");
    if (rule.holds(data)) return undefined;
    context.onForbidden(rule.code, request, data);
    return new SessionRefused("SESSION_FORBIDDEN", rule.code);
  };
  const middleware = (first: unknown, second: unknown, third?: Next): void => {
    if (isSocket(first)) {
      nextOf(second)(keep(first));
      return;
    }
    requireRequest(what, first);
    nextOf(third)(check(first));
  };
  isMiddlewareOf(middleware, rule);
  return Object.assign(middleware, {
    code: rule.code,
    room(socket: RuleSocket, room: string): boolean {
      if (typeof room !== "string" || room === "")
        throw invalid("rule.room() expects the name of a room", room, 'Write rule.room(socket, "name").');
      return keep(socket, room) === undefined;
    },
  });
}

function isSocket(one: unknown): boolean {
  return typeof one === "object" && one !== null && "handshake" in one;
}

function nextOf(next: unknown): (error: SessionRefused | undefined) => void {
  if (typeof next !== "function")
    throw invalid(`${what} expects to be called as middleware`, next, "Give it to use() as it is.");
  return (error) => void (error ? next(error) : next());
}

function ownSocket(rules: SocketRules, socket: unknown) {
  const known = isSocket(socket) ? (socket as Socket) : undefined;
  const guard = known && guardOf(known);
  if (known && guard?.rules === rules)
    return { socket: known, session: known.session, followed: guard.followed };
  const cure = "Call sessions.attach(io), and use rules of the same sessions.";
  throw invalid(`${what} expects a socket of a server that its sessions are attached to`, socket, cure);
}
