import type { Socket } from "socket.io";

type Listener = (...args: unknown[]) => unknown;
type Register = (event: string | symbol, listener: Listener) => Socket;

/**
 * Keeps what a handler of `socket` throws, or rejects with, from ending the process: `report` gets it. An awaited
 * `socket.session.update()` may reject in any handler, as a session can end at any moment.
 *
 * Listeners are wrapped the way Node's own `once` does it (a `listener` property), so `off` and `listeners` find the
 * original.
 */
export function guardHandlers(socket: Socket, report: (error: unknown) => void): void {
  const guard = (listener: Listener): Listener => {
    const guarded: Listener = (...args) => {
      try {
        const result = listener.apply(socket, args);
        if (result instanceof Promise) result.catch(report);
      } catch (error) {
        report(error);
      }
    };
    return Object.assign(guarded, { listener });
  };
  const emitter = socket as unknown as Record<"on" | "addListener" | "prependListener" | "off", Register>;
  const { on, prependListener, off } = emitter;
  const guardedOn: Register = (event, listener) => on.call(socket, event, guard(listener));
  const guardedPrepend: Register = (event, listener) => prependListener.call(socket, event, guard(listener));
  const once =
    (register: Register): Register =>
    (event, listener) => {
      const guarded = guard((...args) => {
        off.call(socket, event, guarded);
        return listener.apply(socket, args);
      });
      return register.call(socket, event, Object.assign(guarded, { listener }));
    };
  Object.assign(socket, {
    on: guardedOn,
    addListener: guardedOn,
    prependListener: guardedPrepend,
    once: once(on),
    prependOnceListener: once(prependListener),
  });
}
