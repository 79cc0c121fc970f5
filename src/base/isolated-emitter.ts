import { EventEmitter } from "node:events";
import { checkListener } from "./arguments.ts";
import { listenerFailed, placesOf, type SocketSessionError } from "./errors.ts";

/**
 * An emitter whose listeners cannot harm each other. If one throws or rejects, the error becomes an `error` event;
 * without a listener for that, a process warning.
 */
export abstract class IsolatedEmitter<
  Events extends { error: [error: SocketSessionError] },
> extends EventEmitter {
  readonly #events: readonly string[];

  /** `events`: all events that are ever emitted. A listener of any other would wait for ever. */
  constructor(events: readonly string[]) {
    super();
    this.#events = events;
  }

  override on<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.on(event, this.#checked("on", event, listener));
  }

  override once<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.once(event, this.#checked("once", event, listener));
  }

  override off<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.off(event, this.#checked("off", event, listener));
  }

  override addListener<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.on(event, this.#checked("addListener", event, listener));
  }

  override prependListener<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.prependListener(event, this.#checked("prependListener", event, listener));
  }

  override prependOnceListener<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.prependOnceListener(event, this.#checked("prependOnceListener", event, listener));
  }

  protected announce<E extends keyof Events & string>(event: E, ...args: Args<Events, E>): void {
    this.#call(event, args, (error) => this.fail(error));
  }

  protected fail(error: SocketSessionError): void {
    if (this.listenerCount("error") === 0) warn(error);
    else this.#call("error", [error], warn);
  }

  #checked(method: string, event: string, listener: unknown): Listener {
    checkListener(`sessions.${method}()`, event, listener, this.#events);
    return listener as Listener;
  }

  #call(event: string, args: unknown[], report: (error: SocketSessionError) => void): void {
    for (const listener of this.rawListeners(event))
      isolate(
        () => Reflect.apply(listener, this, args),
        report,
        () => `A listener of "${event}" of sessions`,
      );
  }
}

type Listener = (...args: unknown[]) => void;
type Args<Events, E extends keyof Events> = Events[E] extends unknown[] ? Events[E] : never;

const cure =
  'Listen to sessions.on("error", …): it gets such errors, with their cause, and without a listener each becomes a warning.';

/**
 * Emits the error as a process warning, without its cause: a driver's cause may name keys. For an error of the
 * application's own code it shows the places in the stack, as for an uncaught exception, but not the message.
 */
function warn(error: SocketSessionError): void {
  const { code, name, message } = error;
  const places = code === "LISTENER_FAILED" ? placesOf(error) : [];
  process.emitWarning(message, { type: name, detail: [...places, cure].join("\n"), code });
}

/**
 * Runs application code, which `what` names. If it throws or rejects, `report` receives a `LISTENER_FAILED` with the
 * error as its cause. The error's own message is not quoted, as it may come from a store. As in Node's own emitter,
 * anything with a `then` is a promise: it may come from another realm or a library.
 */
export function isolate(
  run: () => unknown,
  report: (error: SocketSessionError) => void,
  what: string | (() => string) = "A listener or callback of the application",
): void {
  const fail = (cause: unknown) => report(listenerFailed(typeof what === "function" ? what() : what, cause));
  try {
    const result = run();
    if (isThenable(result)) Promise.resolve(result).then(undefined, fail);
  } catch (cause) {
    fail(cause);
  }
}

/** As in Node's own emitter, anything with a `then` is a promise. */
export function isThenable(value: unknown): value is PromiseLike<unknown> {
  if (value === null || (typeof value !== "object" && typeof value !== "function")) return false;
  return typeof Reflect.get(value, "then") === "function";
}
