/** A feed that polls for new changes: it is alive as of its last answered poll. */
import type { Clock } from "socket-session";
import type { FeedListener, SessionStore } from "../../../src/session-store.ts";
import { readMessage } from "../../../src/stores/common/messages.ts";
import type { Pool } from "../world/pool.ts";
import type { ReferenceServer } from "./reference-server.ts";

const pollMs = 80;
const patienceMs = 2_000;

export function polledChanges(
  server: ReferenceServer,
  clock: Clock,
  pool: Pool,
): NonNullable<SessionStore["changes"]> {
  return async (listener) => {
    const poller = new Poller(server, clock, pool, listener);
    await poller.begin();
    return async () => poller.stop();
  };
}

class Poller {
  readonly #server: ReferenceServer;
  readonly #clock: Clock;
  readonly #pool: Pool;
  readonly #listener: FeedListener;
  #place = { name: 0, next: 0 };
  #isBroken = false;
  #isStopped = false;

  constructor(server: ReferenceServer, clock: Clock, pool: Pool, listener: FeedListener) {
    this.#server = server;
    this.#clock = clock;
    this.#pool = pool;
    this.#listener = listener;
  }

  async begin(): Promise<void> {
    this.#place = await this.#ask(Number.MAX_SAFE_INTEGER);
    this.#plan();
  }

  stop(): void {
    this.#isStopped = true;
  }

  #plan(): void {
    this.#clock.after(pollMs, () => {
      if (!this.#isStopped) void this.#poll().then(() => this.#plan());
    });
  }

  async #poll(): Promise<void> {
    const asOf = this.#clock.now();
    try {
      const found = await this.#ask(this.#place.next);
      const isWhole = found.name === this.#place.name;
      for (const text of isWhole ? found.texts : []) {
        const message = readMessage(text);
        if (message.kind === "change") this.#listener.changed(message.change);
        if (message.kind === "note") this.#listener.told?.(message.note);
      }
      this.#place = found;
      this.#listener.alive?.(asOf);
      if (!isWhole || this.#isBroken) this.#listener.missed();
      this.#isBroken = false;
    } catch (error) {
      this.#isBroken = true;
      this.#listener.broken(error);
    }
  }

  #ask(from: number): Promise<ReturnType<ReferenceServer["logFrom"]>> {
    return new Promise((resolve, reject) => {
      const cancel = this.#clock.after(patienceMs, () => reject(new Error("The poll was not answered.")));
      this.#pool
        .call(() => this.#server.logFrom(from))
        .then(resolve, reject)
        .finally(cancel);
    });
  }
}
