/**
 * The listeners of one store's change feed. If one throws, the error is logged (`DEBUG=socket-session:store`) and affects
 * neither the store nor the other listeners.
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
  // One object per subscription: a listener may subscribe twice, and each subscription ends on its own.
  readonly #subscriptions = new Set<{ readonly listener: FeedListener }>();

  readonly #pending: ((listener: FeedListener) => void)[] = [];

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
    this.#deliver((listener) => listener.changed(change));
  }

  told(note: string): void {
    this.#deliver((listener) => listener.told?.(note));
  }

  alive(asOf: number): void {
    this.#deliver((listener) => listener.alive?.(asOf));
  }

  broken(error: unknown): void {
    this.#deliver((listener) => listener.broken(error));
  }

  missed(): void {
    this.#deliver((listener) => listener.missed());
  }

  #deliver(call: (listener: FeedListener) => void): void {
    this.#pending.push(call);
    // A listener that writes gets here again. Its change is delivered after this one, so that all receive one order.
    if (this.#pending.length > 1) return;
    for (const next of this.#pending) {
      for (const { listener } of this.#subscriptions) {
        try {
          next(listener);
        } catch (error) {
          debug("a listener of the change feed threw: %s", errorText(error));
        }
      }
    }
    this.#pending.length = 0;
  }
}
