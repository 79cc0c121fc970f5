import type { Server } from "socket.io";
import type { AppData, DeepReadonly } from "../api.ts";
import { SocketSessionError } from "../base/errors.ts";
import type { ExemptNamespace } from "./exempt.ts";
import { requireServer } from "./io-check.ts";
import { attachIsCalled } from "./never-attached.ts";
import type { ConnectionContext } from "./session-connection.ts";
import { type GatewayOptions, SocketGateway } from "./socket-gateway.ts";
import type { UnprovenOptions } from "./unproven-clients.ts";
import { assertEngine, hasClients } from "./upstream.ts";

/**
 * The part of a Socket.IO server that `attach` needs; any `Server` of socket.io 4.8 fits, however its events are typed.
 */
export interface SocketServer {
  path(): string;
  readonly engine: unknown;
  bind(engine: never): unknown;
}

export interface AttachOptions {
  /**
   * Namespaces with an authentication of their own. They require no session, and may list origins of their own. A
   * session's end closes the whole connection; stock clients reconnect to these by themselves.
   */
  exempt?: ReadonlyArray<string | RegExp | ExemptNamespace>;
  /**
   * What the page may know of its session's data, as JSON, or undefined for nothing: `(data) => ({ name: data.name })`. Choose it
   * by name, as anyone at the browser can read it. Each socket gets it with `session:state` as it connects, and whenever
   * it changes. Without `share` no such message is sent.
   *
   * Called at each change of the data, so it can't be async (`INVALID_OPTION`). If it throws, or returns what JSON can't hold, that is
   * reported as `LISTENER_FAILED`, and nothing is shared.
   */
  share?: (data: DeepReadonly<AppData>) => unknown;
}

type Wiring = UnprovenOptions &
  Omit<ConnectionContext, "codec" | "pidsOf" | "states" | "isExempt" | "dismissals" | "returns"> &
  Pick<GatewayOptions, "onExpressSession" | "share">;

interface Attached {
  readonly gateway: SocketGateway;
  /** The owner: each LiveSessions has its own hub. */
  readonly hub: Wiring["hub"];
}

/** The last gateway of each server, of any LiveSessions: two open ones would both hold every connection. */
const attachedByServer = new WeakMap<Server, Attached>();

/** Checks the server that `attach` was given, and puts a gateway before it. Throws `INVALID_OPTION`. */
export function openGateway(io: SocketServer, wiring: Wiring): SocketGateway {
  const server = io as unknown as Server;
  requireServer(io);
  const before = attachedByServer.get(server);
  if (before && !before.gateway.isClosed) throw attachedError(before.hub === wiring.hub);
  // clients that a closed gateway left behind have no session, and get none
  if (!before && hasClients(server)) {
    throw attachError("clients are connected already", "Call it before clients connect.");
  }
  if (server.engine) assertEngine(server.engine); // before anything is changed
  before?.gateway.closeNow();
  const isExempt = (namespace: string) => wiring.exemptions.some(({ matches }) => matches(namespace));
  const { hub, updates, userId, activity, rules, limit, rebindMs } = wiring;
  const context = { hub, updates, userId, activity, rules, limit, rebindMs, isExempt };
  const gateway = new SocketGateway(server, { ...wiring, context });
  attachedByServer.set(server, { gateway, hub });
  attachIsCalled();
  return gateway;
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
