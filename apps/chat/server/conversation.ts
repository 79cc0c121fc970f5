import { randomUUID } from "node:crypto";
import { type ChatMessage, limits, type Outcome } from "../shared/events.ts";
import { RateLimit } from "./rate-limit.ts";

export type Said = { readonly ok: true; readonly message: ChatMessage } | Extract<Outcome, { ok: false }>;

export interface Writer {
  readonly author: string;
  readonly name: string;
  /** Whose messages are counted together: a session's, or those of all guests of one network. */
  readonly countedBy: string;
}

/** The messages of the room: checked, stamped with the writer's name; the latest are kept. */
export class Conversation {
  readonly #now: () => number;
  readonly #rate: RateLimit;
  #last: readonly ChatMessage[] = [];

  constructor(now: () => number) {
    this.#now = now;
    this.#rate = new RateLimit({ most: limits.messages, perMs: limits.perMs, now });
  }

  get last(): readonly ChatMessage[] {
    return this.#last;
  }

  /** `posted`: anything that a client may send. */
  say(posted: unknown, { author, name, countedBy }: Writer): Said {
    if (typeof posted !== "string") return { ok: false, problem: "notText" };
    const text = posted.trim();
    if (text === "") return { ok: false, problem: "empty" };
    if (text.length > limits.messageLength) return { ok: false, problem: "tooLong" };
    const retryInMs = this.#rate.take(countedBy);
    if (retryInMs > 0) return { ok: false, problem: "tooFast", retryInMs };

    const message = { id: randomUUID(), author, name, text, sentAt: this.#now() };
    this.remember([message]);
    return { ok: true, message };
  }

  /** Adds messages, those of other nodes included, in the order of their times. Returns whether any of them is new. */
  remember(messages: readonly ChatMessage[]): boolean {
    const known = new Set(this.#last.map(({ id }) => id));
    const unknown = messages.filter(({ id }) => !known.has(id));
    const all = [...this.#last, ...unknown].sort((a, b) => a.sentAt - b.sentAt);
    this.#last = all.slice(-limits.history);
    return unknown.length > 0;
  }
}
