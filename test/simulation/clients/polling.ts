/** Long polling of Engine.IO, as its client does it: one poll that waits, and one request at a time that sends. */
import type { ClientNetwork } from "./client-network.ts";
import { type Answer, SentRequest } from "./http-request.ts";
import type { Sender } from "./pages.ts";

export interface PollingEvents {
  packet(packet: string): void;
  /** It can send again. */
  drained(): void;
  /** A request has failed: it was refused, or its connection broke. */
  failed(answer?: Answer): void;
}

const separator = "\x1e";

export class Polling {
  readonly #network: ClientNetwork;
  readonly #sender: Sender;
  readonly #path: () => string;
  readonly #events: PollingEvents;
  #poll: SentRequest | undefined;
  #post: SentRequest | undefined;
  #isClosed = false;
  #paused: (() => void) | undefined;

  constructor(network: ClientNetwork, path: () => string, sender: Sender, events: PollingEvents) {
    this.#network = network;
    this.#sender = sender;
    this.#path = path;
    this.#events = events;
  }

  get isWritable(): boolean {
    return this.#post === undefined && this.#paused === undefined;
  }

  /** It is not to be used any more, as an upgrade is about to take its place. */
  get isPaused(): boolean {
    return this.#paused !== undefined;
  }

  poll(): void {
    const poll = this.#request("GET");
    this.#poll = poll;
    this.#settle(poll, (answer) => {
      this.#poll = undefined;
      for (const packet of answer.body.split(separator)) if (!this.#isClosed) this.#events.packet(packet);
      if (this.#paused) this.#pauseIfIdle();
      else this.#pollSoon();
    });
  }

  send(packets: readonly string[]): void {
    const post = this.#request("POST", packets.join(separator));
    this.#post = post;
    this.#settle(post, () => {
      this.#post = undefined;
      this.#pauseIfIdle();
      if (!this.#isClosed) this.#events.drained();
    });
  }

  /** A client that is busy lets what the node has for it wait. */
  #pollSoon(): void {
    const { world, random } = this.#network;
    const next = () => {
      if (!this.#paused && !this.#isClosed) this.poll();
    };
    if (random.chance(0.2)) world.after(500, next);
    else next();
  }

  /** Calls `paused` once nothing is under way any more; it polls no more, and sends nothing. */
  pause(paused: () => void): void {
    this.#paused = paused;
    this.#pauseIfIdle();
  }

  /** Notifies the node if it is `polite`, and drops the requests under way. */
  close(isPolite: boolean): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#poll?.abort("ECONNABORTED");
    if (isPolite && !this.#post) this.#request("POST", "1").answer.catch(() => {});
    else this.#post?.abort("ECONNABORTED");
  }

  #request(method: "GET" | "POST", body?: string): SentRequest {
    const request = {
      method,
      path: this.#path(),
      sender: this.#sender,
      ...(body === undefined ? {} : { body }),
    };
    return new SentRequest(this.#network, request);
  }

  #settle({ answer }: SentRequest, answered: (answer: Answer) => void): void {
    const failed = (refusal?: Answer) => {
      if (!this.#isClosed) this.#events.failed(refusal);
    };
    answer.then(
      (got) => (got.status === 200 ? answered(got) : failed(got)),
      () => failed(),
    );
  }

  #pauseIfIdle(): void {
    if (!this.#poll && !this.#post && !this.#isClosed) this.#paused?.();
  }
}
