/**
 * Who listens to one store's change feed, and how they are told. A listener that throws is logged
 * (`DEBUG=socket-session:store`) and disturbs neither the store nor the listeners after it.
 *
 * ```ts
 * const listeners = new FeedListeners();
 * const remove = listeners.add(listener);
 * listeners.changed({ kind: "ended", publicIds, reason: "destroyed" });
 * remove();
 * ```
 */
import createDebug from "debug";
import { errorText } from "../../base/errors.ts";
import type { FeedListener, SessionChange } from "../../session-store.ts";

const debug = createDebug("socket-session:store");

export class FeedListeners {
  // One object per subscription: the same listener may subscribe twice, and each subscription ends by itself.
  readonly #subscriptions = new Set<{ readonly listener: FeedListener }>();

  readonly #untold: ((listener: FeedListener) => void)[] = [];

  get size(): number {
    return this.#subscriptions.size;
  }

  /** The returned function removes this subscription; calling it again does nothing. */
  add(listener: FeedListener): () => void {
    const subscription = { listener };
    this.#subscriptions.add(subscription);
    return () => {
      this.#subscriptions.delete(subscription);
    };
  }

  changed(change: SessionChange): void {
    this.#tell((listener) => listener.changed(change));
  }

  alive(asOf: number): void {
    this.#tell((listener) => listener.alive?.(asOf));
  }

  broken(error: unknown): void {
    this.#tell((listener) => listener.broken(error));
  }

  missed(): void {
    this.#tell((listener) => listener.missed());
  }

  #tell(call: (listener: FeedListener) => void): void {
    this.#untold.push(call);
    // A listener that writes gets here again: what it wrote is told to all after this, so that all hear one order.
    if (this.#untold.length > 1) return;
    for (const next of this.#untold) {
      for (const { listener } of this.#subscriptions) {
        try {
          next(listener);
        } catch (error) {
          debug("a listener of the change feed threw: %s", errorText(error));
        }
      }
    }
    this.#untold.length = 0;
  }
}
