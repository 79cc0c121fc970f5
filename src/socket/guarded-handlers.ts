import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import { shownName } from "../base/shown.ts";

type Listener = (...args: unknown[]) => unknown;
type Register = (event: string | symbol, listener: Listener) => Socket;
type Report = (error: unknown) => void;

/** A socket's events that no client sends; they are emitted after the end of its session, too. */
const ownEvents = new Set<unknown>(["disconnecting", "disconnect", "newListener", "removeListener"]);

/**
 * Keeps an error of an application's handler from ending the process: `report` receives what it throws or rejects with.
 * An awaited `socket.session.update()` may reject in any handler, as a session can end at any moment.
 */
export function guarded(
  what: (args: readonly unknown[]) => string,
  report: Report,
  handler: Listener,
  self?: unknown,
): Listener {
  return (...args) =>
    isolate(
      () => handler.apply(self, args),
      report,
      () => what(args),
    );
}

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
 * Guards every handler added to `socket`. The wrappers have a `listener` property, as those of Node's own `once`, so
 * that `off` and `listeners` find the original. No handler receives an event that was still on its way when the session
 * ended.
 */
export function guardHandlers(
  socket: Socket,
  { report, isOver }: { readonly report: Report; readonly isOver: () => boolean },
): void {
  const place = `in ${shownNamespace(socket.nsp.name)}`;
  const guard = (event: string | symbol, listener: Listener, run = listener) => {
    const what = () => `A handler of ${shown(event)} ${place}`;
    const unlessOver: Listener = (...args) =>
      ownEvents.has(event) || !isOver() ? run.apply(socket, args) : undefined;
    return Object.assign(guarded(what, report, unlessOver), { listener });
  };
  const emitter = socket as unknown as Record<"on" | "prependListener" | "off", Register>;
  const { on, prependListener, off } = emitter;
  const each =
    (register: Register): Register =>
    (event, listener) =>
      register.call(socket, event, guard(event, expectFunction(listener)));
  const once =
    (register: Register): Register =>
    (event, listener) => {
      const wrapped = guard(event, expectFunction(listener), (...args) => {
        off.call(socket, event, wrapped);
        return listener.apply(socket, args);
      });
      return register.call(socket, event, wrapped);
    };
  Object.assign(socket, {
    on: each(on),
    addListener: each(on),
    prependListener: each(prependListener),
    once: once(on),
    prependOnceListener: once(prependListener),
  });
  guardCatchAlls(socket, place, report, isOver);
}

/** Guards `use`, and the listeners of all events. */
function guardCatchAlls(socket: Socket, place: string, report: Report, isOver: () => boolean): void {
  const { use } = socket;
  const wrappedByListener = new WeakMap<Listener, Listener>();
  const add = (method: AddAny) => {
    const register = socket[method];
    return (listener: Listener): Socket => {
      const what = ([event]: readonly unknown[]) =>
        `A listener of all events ${place}, called for ${shown(event)},`;
      const wrapped =
        wrappedByListener.get(expectFunction(listener)) ?? guarded(what, report, listener, socket);
      wrappedByListener.set(listener, wrapped);
      return register.call(socket, wrapped);
    };
  };
  const remove = (method: "offAny" | "offAnyOutgoing") => {
    const unregister = socket[method];
    return (listener?: Listener): Socket =>
      unregister.call(socket, listener && (wrappedByListener.get(listener) ?? listener));
  };
  const what = ([event]: readonly unknown[]) =>
    `A middleware of a socket ${place}, called for ${shown(Array.isArray(event) ? event[0] : event)},`;
  Object.assign(socket, {
    // An event that a middleware passes on after the end of its session goes no further.
    use: (fn: Listener) => {
      expectFunction(fn);
      const passOn: Listener = (event, next) =>
        fn.call(socket, event, (error?: unknown) => {
          if (!isOver()) (next as Listener)(error);
        });
      return use.call(socket, guarded(what, report, passOn));
    },
    onAny: add("onAny"),
    prependAny: add("prependAny"),
    offAny: remove("offAny"),
    onAnyOutgoing: add("onAnyOutgoing"),
    prependAnyOutgoing: add("prependAnyOutgoing"),
    offAnyOutgoing: remove("offAnyOutgoing"),
  });
}

type AddAny = "onAny" | "prependAny" | "onAnyOutgoing" | "prependAnyOutgoing";

/** Checks as Node's emitter does, as the wrapper would hide the mistake. */
function expectFunction(listener: Listener): Listener {
  if (typeof listener === "function") return listener;
  const error = new TypeError(
    `The "listener" argument must be of type function. Received ${listener === null ? "null" : typeof listener}. Pass the handler itself.`,
  );
  throw Object.assign(error, { code: "ERR_INVALID_ARG_TYPE" });
}
