/** Clients that come back when they are closed or refused, after the pauses of a stock client. */
import { setTimeout as wait } from "node:timers/promises";
import { LightSocket } from "./light-socket.ts";
import type { Sample } from "./sample.ts";

/** `reconnectionDelay`, `reconnectionDelayMax` and `randomizationFactor` of a stock client. */
const stock = { delayMs: 1_000, mostMs: 5_000, spread: 0.5 };

export class ReturningCrowd {
  readonly #url: string;
  readonly #sockets = new Set<LightSocket>();
  readonly #count: number;
  #allIn = Promise.withResolvers<void>();
  #isOver = false;

  constructor({ url }: Sample, cookies: readonly string[]) {
    this.#url = url;
    this.#count = cookies.length;
    for (const cookie of cookies) void this.#keepIn(cookie);
  }

  /** Resolves when all have joined, now or later. */
  allIn(): Promise<void> {
    return this.#allIn.promise;
  }

  /** As a network does. */
  loseAll(): void {
    for (const socket of this.#sockets) socket.close();
  }

  close(): void {
    this.#isOver = true;
    this.loseAll();
  }

  async #keepIn(cookie: string): Promise<void> {
    for (let attempts = 0; !this.#isOver; attempts++) {
      const socket = await LightSocket.open(this.#url, cookie).catch((error: Error) => error);
      if (socket instanceof LightSocket) {
        this.#join(socket);
        await socket.closed;
        this.#leave(socket);
        attempts = 0;
      }
      if (!this.#isOver) await wait(pauseMs(attempts));
    }
  }

  #join(socket: LightSocket): void {
    this.#sockets.add(socket);
    if (this.#sockets.size === this.#count) this.#allIn.resolve();
  }

  #leave(socket: LightSocket): void {
    if (this.#sockets.size === this.#count) this.#allIn = Promise.withResolvers();
    this.#sockets.delete(socket);
  }
}

function pauseMs(attempts: number): number {
  const deviation = 1 + (Math.random() * 2 - 1) * stock.spread;
  return Math.min(stock.delayMs * 2 ** attempts * deviation, stock.mostMs);
}
