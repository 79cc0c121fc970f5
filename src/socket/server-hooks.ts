import type { Server, Socket } from "socket.io";
import { type EngineWatch, type Exchange, watchEngine } from "./exchange.ts";
import {
  type Auth,
  assertEngine,
  type Engine,
  type EngineConnection,
  type EngineRequest,
  guardNamespaces,
  onNewNamespace,
} from "./upstream.ts";
import { onEngine } from "./upstream-connections.ts";
import { onSocket, type SocketHooks } from "./upstream-sockets.ts";

/** Hooks into a Socket.IO server and its engines. */
export interface ServerHooks extends Omit<EngineWatch, "decide" | "report">, SocketHooks {
  decide(engine: Engine, request: EngineRequest, exchange: Exchange): void;
  mayJoin(socket: Socket): boolean;
  /** The client has its `CONNECT`; no handler of `connection` has been called. */
  connected(socket: Socket, connection: EngineConnection): void;
  /** The `auth` payload that an application's function for dynamic namespaces may see. */
  shown(namespace: string, auth: Auth): Auth;
}

const placeByServer = new WeakMap<Server, { hooks: ServerHooks }>();

/** Routes everything of `io` through `hooks`, in place of earlier hooks. A server is patched only once, for good. */
export function hookServer(io: Server, hooks: ServerHooks): void {
  const known = placeByServer.get(io);
  if (known) known.hooks = hooks;
  else patch(io, hooks);
}

function patch(io: Server, hooks: ServerHooks): void {
  const place = { hooks };
  placeByServer.set(io, place);
  guardNamespaces(
    io,
    (error) => place.hooks.report(error),
    (socket) => place.hooks.mayJoin(socket),
    (socket, connection) => place.hooks.connected(socket, connection),
  );
  const watched = new WeakSet<Engine>();
  const watch = (engine: Engine) => {
    if (watched.has(engine)) return;
    assertEngine(engine);
    watched.add(engine);
    watchEngine(engine, {
      seen: (request) => place.hooks.seen(request),
      decide: (request, exchange) => place.hooks.decide(engine, request, exchange),
      webTransport: () => place.hooks.webTransport(),
      report: (error) => place.hooks.report(error),
      opened: (connection, pass) => place.hooks.opened(connection, pass),
    });
  };
  onEngine(io, watch);
  onNewNamespace(io, (namespace, auth) => place.hooks.shown(namespace, auth));
  onSocket(io, {
    enter: (...args) => place.hooks.enter(...args),
    born: (socket, connection) => {
      try {
        watch(connection.server); // an `io` attached to several http servers may have an unwatched engine
      } catch (error) {
        place.hooks.report(error);
      }
      place.hooks.born(socket, connection);
    },
    pids: (connection) => place.hooks.pids(connection),
    report: (error) => place.hooks.report(error),
    mayRecover: (...args) => place.hooks.mayRecover(...args),
  });
}
