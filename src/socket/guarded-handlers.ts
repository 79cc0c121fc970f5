import type { Socket } from "socket.io";
import { isolate } from "../core/isolate.ts";
import { SocketSessionError } from "../errors.ts";

type Listener = (...args: unknown[]) => unknown;
type Register = (event: string | symbol, listener: Listener) => Socket;
type Report = (error: unknown) => void;

/**
 * What handlers of the application throw, or reject with, must not end the process: `report` gets it. An awaited
 * `socket.session.update()` may reject in any of them, as a session can end at any moment.
 */
export function guarded(what: string, report: Report, handler: Listener, self?: unknown): Listener {
  const fail = (cause: unknown) => {
    const text = cause instanceof Error ? cause.message : String(cause);
    report(new SocketSessionError("LISTENER_FAILED", `${what} failed: ${text}`, { cause }));
  };
  return (...args) => isolate(() => handler.apply(self, args), fail);
}

/**
 * Guards every handler that `socket` is given. They are wrapped the way Node's own `once` does it (a `listener`
 * property), so that `off` and `listeners` find the original.
 */
export function guardHandlers(
  socket: Socket,
  { report, isOver }: { readonly report: Report; readonly isOver: () => boolean },
): void {
  const what = `A handler of a socket in ${socket.nsp.name}`;
  const guard = (listener: Listener, run = listener) =>
    Object.assign(guarded(what, report, run, socket), { listener });
  const emitter = socket as unknown as Record<"on" | "prependListener" | "off", Register>;
  const { on, prependListener, off } = emitter;
  const each =
    (register: Register): Register =>
    (event, listener) =>
      register.call(socket, event, guard(listener));
  const once =
    (register: Register): Register =>
    (event, listener) => {
      const wrapped = guard(listener, (...args) => {
        off.call(socket, event, wrapped);
        return listener.apply(socket, args);
      });
      return register.call(socket, event, wrapped);
    };
  const { use, onAny, prependAny, offAny } = socket;
  const wrappedByAny = new WeakMap<Listener, Listener>();
  const any =
    (register: (listener: Listener) => Socket) =>
    (listener: Listener): Socket => {
      const wrapped = wrappedByAny.get(listener) ?? guarded(what, report, listener, socket);
      wrappedByAny.set(listener, wrapped);
      return register.call(socket, wrapped);
    };
  Object.assign(socket, {
    // An event that a middleware passes on after the end of its session reaches no handler.
    use: (fn: Listener) =>
      use.call(
        socket,
        guarded(what, report, (event, next) =>
          fn.call(socket, event, (error?: unknown) => {
            if (!isOver()) (next as Listener)(error);
          }),
        ),
      ),
    onAny: any(onAny),
    prependAny: any(prependAny),
    offAny: (listener?: Listener) =>
      offAny.call(socket, listener && (wrappedByAny.get(listener) ?? listener)),
    on: each(on),
    addListener: each(on),
    prependListener: each(prependListener),
    once: once(on),
    prependOnceListener: once(prependListener),
  });
}
