import { EventEmitter } from "node:events";
import { isolate } from "./core/isolate.ts";

/**
 * An emitter whose listeners cannot harm each other: what one throws, or rejects with, becomes an `error` event, and an
 * error nobody listens to a process warning.
 */
export abstract class IsolatedEmitter<Events extends { error: [error: unknown] }> extends EventEmitter {
  override on<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.on(event, listener as Listener);
  }

  override once<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.once(event, listener as Listener);
  }

  override off<E extends keyof Events & string>(
    event: E,
    listener: (...args: Args<Events, E>) => unknown,
  ): this {
    return super.off(event, listener as Listener);
  }

  protected announce<E extends keyof Events & string>(event: E, ...args: Args<Events, E>): void {
    this.#call(event, args, (error) => this.fail(error));
  }

  protected fail(error: unknown): void {
    if (this.listenerCount("error") === 0) warn(error);
    else this.#call("error", [error], warn);
  }

  #call(event: string, args: unknown[], report: (error: unknown) => void): void {
    for (const listener of this.rawListeners(event))
      isolate(() => Reflect.apply(listener, this, args), report);
  }
}

type Listener = (...args: unknown[]) => void;
type Args<Events, E extends keyof Events> = Events[E] extends unknown[] ? Events[E] : never;

function warn(error: unknown): void {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)));
}
