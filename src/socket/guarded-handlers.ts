import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import { shownName } from "../base/shown.ts";

type Listener = (...args: unknown[]) => unknown;
type Register = (event: string | symbol, listener: Listener) => Socket;
type Registers = Record<"on" | "prependListener" | "off", Register>;
type RegisterAny = (listener: Listener) => Socket;

/** What the handlers of a socket depend on. */
export interface HandlerGuard {
  readonly report: (error: unknown) => void;
  /** Whether the session may still be served. If not, the call has closed the connection. */
  readonly isServable: boolean;
  readonly isEnded: boolean;
}

/** A socket's events that no client sends; they are emitted after the end of its session, too. */
const ownEvents = new Set<unknown>(["disconnecting", "disconnect", "newListener", "removeListener"]);

/** A name for messages. A client may have chosen it, so it is kept short. */
export function shown(name: unknown): string {
  const isName = typeof name === "string" || typeof name === "symbol" || typeof name === "number";
  return shownName(isName ? String(name).slice(0, 100) : `a name that is ${typeof name}`);
}

/** The name of a namespace for messages. */
export function shownNamespace(name: string): string {
  return shown(name).slice(1, -1);
}

/**
 * Methods for sockets whose prototype is `inherited`. They guard every handler that is added: an awaited
 * `socket.session.update()` may reject in any of them, as a session can end at any moment. The wrappers have a `listener`
 * property, as those of Node's own `once`, so that `off` and `listeners` find the original. No handler receives an event
 * that was still on its way when the session ended.
 */
export function guardedHandlers(inherited: Socket, guardOf: (socket: Socket) => HandlerGuard): object {
  const emitter = inherited as unknown as Registers;
  const wrapped = (socket: Socket, event: string | symbol, listener: Listener, run = listener) => {
    const wrapper: Listener = (...args) => {
      const guard = guardOf(socket);
      if (guard.isEnded && !ownEvents.has(event)) return;
      isolate(
        () => run.apply(socket, args),
        guard.report,
        () => `A handler of ${shown(event)} ${placeOf(socket)}`,
      );
    };
    return Object.assign(wrapper, { listener });
  };
  const each = (register: "on" | "prependListener") =>
    function (this: Socket, event: string | symbol, listener: Listener): Socket {
      return emitter[register].call(this, event, wrapped(this, event, expectFunction(listener)));
    };
  const once = (register: "on" | "prependListener") =>
    function (this: Socket, event: string | symbol, listener: Listener): Socket {
      const wrapper = wrapped(this, event, expectFunction(listener), (...args) => {
        emitter.off.call(this, event, wrapper);
        return listener.apply(this, args);
      });
      return emitter[register].call(this, event, wrapper);
    };
  return {
    on: each("on"),
    addListener: each("on"),
    prependListener: each("prependListener"),
    once: once("on"),
    prependOnceListener: once("prependListener"),
    ...guardedCatchAlls(inherited, guardOf),
  };
}

/** By listener. Socket.IO calls a wrapper with the socket as `this`, so that it serves all of them. */
const catchAlls = new WeakMap<Listener, Listener>();

/** `use`, and the methods for listeners of all events. */
function guardedCatchAlls(inherited: Socket, guardOf: (socket: Socket) => HandlerGuard): object {
  const methods = inherited as unknown as Record<string, RegisterAny>;
  const wrapped = (listener: Listener): Listener => {
    const wrapper =
      catchAlls.get(expectFunction(listener)) ??
      function (this: Socket, ...args: unknown[]) {
        const what = () => `A listener of all events ${placeOf(this)}, called for ${shown(args[0])},`;
        isolate(() => listener.apply(this, args), guardOf(this).report, what);
      };
    catchAlls.set(listener, wrapper);
    return wrapper;
  };
  const add = (method: "onAny" | "prependAny" | "onAnyOutgoing" | "prependAnyOutgoing") =>
    function (this: Socket, listener: Listener): Socket | undefined {
      return methods[method]?.call(this, wrapped(listener));
    };
  const remove = (method: "offAny" | "offAnyOutgoing") =>
    function (this: Socket, listener?: Listener): Socket | undefined {
      return Reflect.apply(inherited[method], this, listener ? [catchAlls.get(listener) ?? listener] : []);
    };
  return {
    // An event that a middleware passes on after the end of its session goes no further. It may have waited for long, as
    // in a process that was frozen.
    use(this: Socket, fn: Listener): Socket {
      expectFunction(fn);
      const guard = guardOf(this);
      const passOn = (event: readonly unknown[], next: Listener) =>
        isolate(
          () => fn.call(this, event, (error?: unknown) => guard.isServable && next(error)),
          guard.report,
          () => `A middleware of a socket ${placeOf(this)}, called for ${shown(event[0])},`,
        );
      return Reflect.apply(inherited.use, this, [passOn]);
    },
    onAny: add("onAny"),
    prependAny: add("prependAny"),
    offAny: remove("offAny"),
    onAnyOutgoing: add("onAnyOutgoing"),
    prependAnyOutgoing: add("prependAnyOutgoing"),
    offAnyOutgoing: remove("offAnyOutgoing"),
  };
}

function placeOf(socket: Socket): string {
  return `in ${shownNamespace(socket.nsp.name)}`;
}

/** Checks as Node's emitter does, as the wrapper would hide the mistake. */
function expectFunction(listener: Listener): Listener {
  if (typeof listener === "function") return listener;
  const error = new TypeError(
    `The "listener" argument must be of type function. Received ${listener === null ? "null" : typeof listener}. Pass the handler itself.`,
  );
  throw Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
}
