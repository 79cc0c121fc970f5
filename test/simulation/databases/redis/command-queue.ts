/**
 * Commands of a driver, in their order: those of one turn of the event loop travel together, and those of a time without
 * a connection wait for one. What was sent and not answered when the connection is lost is rejected (`redis`), or sent
 * again over the next (`ioredis`).
 */
import { type Reply, ReplyError } from "./reply.ts";
import type { RedisWire } from "./wire.ts";

interface Pending {
  readonly order: number;
  readonly command: readonly string[];
  resolve(reply: Reply): void;
  reject(error: unknown): void;
}

export class CommandQueue {
  readonly #resends: boolean;
  #waiting: Pending[] = [];
  #wire: RedisWire | undefined;
  #isFlushPlanned = false;
  #last = 0;

  constructor({ resends }: { resends: boolean }) {
    this.#resends = resends;
  }

  add(command: readonly string[]): Promise<Reply> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ order: this.#last++, command, resolve, reject });
      this.#planFlush();
    });
  }

  /** From now on commands go over this connection. */
  attach(wire: RedisWire): void {
    this.#wire = wire;
    this.#planFlush();
  }

  /** From now on commands wait. */
  detach(): void {
    this.#wire = undefined;
  }

  /** Rejects what waits. */
  fail(error: Error): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #planFlush(): void {
    if (this.#isFlushPlanned || !this.#wire) return;
    this.#isFlushPlanned = true;
    setImmediate(() => {
      this.#isFlushPlanned = false;
      if (this.#wire && this.#waiting.length > 0) void this.#exchange(this.#wire, this.#waiting.splice(0));
    });
  }

  async #exchange(wire: RedisWire, sent: readonly Pending[]): Promise<void> {
    try {
      const answers = await wire.exchange(sent.map(({ command }) => command));
      for (const [index, answer] of answers.entries()) {
        if ("reply" in answer) sent[index]?.resolve(answer.reply);
        else sent[index]?.reject(answer.error);
      }
    } catch (error) {
      const isLost = !(error instanceof ReplyError);
      if (isLost && this.#wire === wire) this.detach();
      if (isLost && this.#resends) this.#sendAgain(sent);
      else for (const { reject } of sent) reject(error);
    }
  }

  #sendAgain(unanswered: readonly Pending[]): void {
    this.#waiting.push(...unanswered);
    this.#waiting.sort((one, other) => one.order - other.order);
    this.#planFlush();
  }
}
