/** The part of `upstream.ts` that follows the engines of a server, and keeps a new connection from Socket.IO only. */
import type { Server } from "socket.io";
import { type Engine, type EngineConnection, internalsOf } from "./upstream.ts";

/** Calls `use` with each Engine.IO server, the present one included, before Socket.IO sees its connections. */
export function onEngine(io: Server, use: (engine: Engine) => void): void {
  const internals = internalsOf(io);
  if (internals.engine) use(internals.engine);
  const bind = internals.bind;
  internals.bind = (engine) => {
    use(engine);
    return bind.call(io, engine);
  };
}

/** Socket.IO's listener is its own method, bound. */
const isOfSocketIo = (listener: unknown) =>
  typeof listener === "function" && listener.name === "bound onconnection";

export function giveToSocketIo(engine: Engine, connection: EngineConnection): void {
  call(listenersOf(engine).socketIo, engine, connection);
}

/**
 * Load balancers learn by the engine's `connection` which process has a client, as `@socket.io/sticky` does. The client's
 * next request has to reach that process, and is the one that brings a ticket, or is told why the client is refused.
 */
export function announceToOthers(engine: Engine, connection: EngineConnection): void {
  call(listenersOf(engine).others, engine, connection);
}

/** If Socket.IO's listener is not recognised, such as where an instrumentation has wrapped it, all count as Socket.IO's. */
function listenersOf(engine: Engine): { socketIo: unknown[]; others: unknown[] } {
  const all = engine.rawListeners("connection");
  const socketIo = all.filter(isOfSocketIo);
  if (socketIo.length === 0) return { socketIo: all, others: [] };
  return { socketIo, others: all.filter((listener) => !isOfSocketIo(listener)) };
}

function call(listeners: readonly unknown[], engine: Engine, connection: EngineConnection): void {
  for (const listener of listeners)
    if (typeof listener === "function") Reflect.apply(listener, engine, [connection]);
}
