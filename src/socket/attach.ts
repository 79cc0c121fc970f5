import type { Server } from "socket.io";
import { SocketSessionError } from "../errors.ts";
import { shown } from "../shown.ts";
import type { AdmissionOptions } from "./admission.ts";
import { attachIsCalled } from "./never-attached.ts";
import type { ConnectionContext } from "./session-connection.ts";
import { type GatewayOptions, SocketGateway } from "./socket-gateway.ts";
import { assertEngine, hasClients } from "./upstream.ts";

/** What `attach` needs of a Socket.IO server; any `Server` of socket.io 4.8 will do, however its events are typed. */
export interface SocketServer {
  path(): string;
  readonly engine: unknown;
  bind(engine: never): unknown;
}

export interface AttachOptions {
  /**
   * Namespaces with an authentication of their own: no session is asked for there. A session's end closes the whole
   * connection; stock clients come back to these by themselves.
   */
  exempt?: ReadonlyArray<string | RegExp>;
}

type Wiring = AdmissionOptions &
  Omit<ConnectionContext, "codec" | "isExempt"> &
  Pick<GatewayOptions, "onRefusal" | "onExpressSession">;

interface Attached {
  readonly gateway: SocketGateway;
  /** Whose it is: sessions have one hub each. */
  readonly hub: Wiring["hub"];
}

/** The last gateway of each server, whosever it is: two that are open would both hold every connection. */
const attachedByServer = new WeakMap<Server, Attached>();

/** Checks what `attach` was given, and stands a gateway before the server. Throws `INVALID_OPTION`. */
export function openGateway(io: SocketServer, { exempt = [] }: AttachOptions, wiring: Wiring): SocketGateway {
  const server = io as unknown as Server;
  requireServer(io);
  const before = attachedByServer.get(server);
  if (before && !before.gateway.isClosed) throw attachedError(before.hub === wiring.hub);
  // what a closed gateway has left has no session, and gets none
  if (!before && hasClients(server)) {
    throw attachError("clients are connected already", "Call it before the server listens.");
  }
  for (const [index, one] of exempt.entries()) {
    if (typeof one === "string" ? one.startsWith("/") : !one.global && !one.sticky) continue;
    throw attachError(
      `exempt[${index}], ${shown(one)}, can't be matched`,
      'Write "/name", or a pattern without g and y.',
    );
  }
  if (server.engine) assertEngine(server.engine); // before anything is changed
  const isExempt = (namespace: string) =>
    exempt.some((one) => (typeof one === "string" ? one === namespace : one.test(namespace)));
  const { hub, updates, userId, activity, rebindMs } = wiring;
  const context = { hub, updates, userId, activity, rebindMs, isExempt };
  const gateway = new SocketGateway(server, { ...wiring, context, hasExempt: exempt.length > 0 });
  attachedByServer.set(server, { gateway, hub });
  attachIsCalled();
  return gateway;
}

const ownServer = "const io = new Server(httpServer), and give that `io`.";

/** What people give in the place of `io`, by what it has, and what to give instead. */
const mistaken: readonly (readonly [methods: readonly string[], what: string, cure: string])[] = [
  [
    ["handle", "use", "listen"],
    "an Express application",
    "Make a server of it: const io = new Server(createServer(app)), and give that `io`.",
  ],
  [["handleUpgrade", "handleRequest"], "Engine.IO's server, `io.engine`", "Give `io` itself."],
  [["_createSocket", "use"], "a namespace", "Give `io` itself: its sockets are served in all namespaces."],
  [["listen", "setTimeout"], "an http server", `Make one of it: ${ownServer}`],
  [["then"], "a promise", "Await it first."],
];

function requireServer(io: unknown): void {
  const has = (method: string) => typeof Reflect.get(Object(io), method) === "function";
  if (typeof io === "object" && ["bind", "path", "of"].every(has)) {
    requireRelease(io);
    return;
  }
  const [, what, cure] = mistaken.find(([methods]) => methods.every(has)) ?? [];
  const expected =
    "sessions.attach(io) expects a Socket.IO server, as `new Server(httpServer)` of socket.io makes one";
  const message = `${expected}; it was ${what ?? shown(io)}. ${cure ?? `Make one: ${ownServer}`}`;
  throw new SocketSessionError("INVALID_OPTION", message);
}

/** Older ones have these methods as well. */
function requireRelease(io: unknown): void {
  if (typeof Reflect.get(Object(Reflect.get(Object(io), "sockets")), "_createSocket") === "function") return;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    "sessions.attach(io) expects a server of socket.io 4.8 or later; it was one of an older release. Write npm install socket.io@4.",
  );
}

function attachedError(isOwn: boolean): SocketSessionError {
  if (isOwn) return attachError("this server has been attached before", "Attach each once.");
  return attachError(
    "other sessions are attached to this server, and are open",
    'Make another `new Server(httpServer, { path: "/other" })` for these: two servers on two paths of one http server work. To replace the others, as a hot reload does, call their close() first.',
  );
}

export function attachError(what: string, cure: string): SocketSessionError {
  return new SocketSessionError("INVALID_OPTION", `sessions.attach(io): ${what}. ${cure}`);
}
