import { EventEmitter } from "node:events";
import type { SessionEvents } from "../api.ts";
import { checkListener } from "../base/arguments.ts";
import { isolate } from "../base/isolated-emitter.ts";
import type { Hub } from "../live/hub.ts";

const events: Readonly<Record<keyof SessionEvents, true>> = { change: true, extend: true, end: true };

/** The listeners of one handle. If one throws, the error is reported and the others still run. */
export abstract class HandleEvents {
  #emitter: EventEmitter | undefined;

  on<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    checkListener("session.on()", event, listener, Object.keys(events));
    this.#listen().on(event, listener);
    return this;
  }

  once<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    checkListener("session.once()", event, listener, Object.keys(events));
    this.#listen().once(event, listener);
    return this;
  }

  off<E extends keyof SessionEvents>(event: E, listener: (...args: SessionEvents[E]) => void): this {
    checkListener("session.off()", event, listener, Object.keys(events));
    this.#emitter?.off(event, listener);
    return this;
  }

  #listen(): EventEmitter {
    this.follow();
    this.#emitter ??= new EventEmitter();
    return this.#emitter;
  }

  /** A listener is about to be added. */
  protected follow(): void {}

  protected notify(hub: Hub, event: keyof SessionEvents, ...args: unknown[]): void {
    for (const listener of this.#emitter?.rawListeners(event) ?? [])
      isolate(
        () => listener.apply(this, args),
        hub.report,
        () => `A listener of "${event}" of a session`,
      );
  }

  protected forgetListeners(): void {
    this.#emitter?.removeAllListeners();
  }
}
