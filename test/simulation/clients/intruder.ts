/**
 * A client that tries to get in without a right to: by the id of another client's connection, with a cookie that is not
 * that client's, or from another page; or into a session by a cookie that the server never signed.
 */
import type { Intrusion } from "../trace.ts";
import type { Random } from "../world/random.ts";
import type { ClientNetwork } from "./client-network.ts";
import { EngineClient, type TransportPlan } from "./engine-client.ts";
import { SentRequest } from "./http-request.ts";
import type { Sender } from "./pages.ts";
import { ClientWebSocket } from "./web-socket.ts";

export interface Attempt {
  /** Of the connection that it wants to take part in. */
  readonly connection: string;
  /** With the cookie of another session, a bad one, or none from another page. */
  readonly sender: Sender;
  /** As it comes by itself: with the cookie of no session. */
  readonly stranger: Sender;
}

/** Called with what came of an attempt. */
export type Note = (what: Intrusion, isLetIn: boolean) => void;

/** An intruder waits no longer for an answer. */
const patienceMs = 30_000;
/** A silent connection is closed by then. */
const silenceMs = 17_000;

export class Intruder {
  readonly #network: ClientNetwork;
  readonly #random: Random;
  readonly #attempt: Attempt;
  readonly #note: Note;

  constructor(network: ClientNetwork, random: Random, attempt: Attempt, note: Note) {
    this.#network = network;
    this.#random = random;
    this.#attempt = attempt;
    this.#note = note;
  }

  try(): void {
    const what = this.#random.pick<Intrusion>(["poll", "send", "upgrade", "join", "stay"]);
    if (what === "poll") this.#request(what, "GET");
    else if (what === "send") this.#request(what, "POST", '42["say"]');
    else if (what === "upgrade") this.#upgrade();
    else if (what === "join") this.#join();
    else this.#stay();
  }

  #path(transport: string): string {
    return `/socket.io/?EIO=4&transport=${transport}&sid=${this.#attempt.connection}`;
  }

  #request(what: Intrusion, method: "GET" | "POST", body?: string): void {
    const { sender } = this.#attempt;
    const request = { method, path: this.#path("polling"), sender, ...(body === undefined ? {} : { body }) };
    const sent = new SentRequest(this.#network, request);
    const cancel = this.#network.world.after(patienceMs, () => sent.abort("ETIMEDOUT"));
    const settle = (isLetIn: boolean) => {
      cancel();
      this.#note(what, isLetIn);
    };
    sent.answer.then(
      ({ status }) => settle(status === 200),
      () => settle(false),
    );
  }

  #upgrade(): void {
    const webSocket = new ClientWebSocket(this.#network, this.#path("websocket"), this.#attempt.sender, {
      opened: () => {
        this.#note("upgrade", true);
        webSocket.close();
      },
      message: () => {},
      closed: () => this.#note("upgrade", false),
    });
  }

  /** Talks before it asks, then asks for one namespace after another. */
  #join(): void {
    let isLetIn = false;
    const client = this.#connect({
      opened: () => {
        if (this.#random.chance(0.3)) client.send('2["say"]');
        for (const packet of ['0{"name":"intruder"}', '0/chat,{"name":"intruder"}', '2["say"]'])
          client.send(packet);
      },
      message: (text) => {
        isLetIn ||= !text.startsWith("4");
      },
    });
    this.#network.world.after(silenceMs, () => {
      this.#note("join", isLetIn);
      client.close(false);
    });
  }

  #stay(): void {
    let isOpen = false;
    const client = this.#connect({
      opened: () => {
        isOpen = true;
      },
      closed: () => {
        isOpen = false;
      },
    });
    this.#network.world.after(silenceMs, () => {
      this.#note("stay", isOpen);
      client.close(false);
    });
  }

  #connect(events: { opened(): void; message?(text: string): void; closed?(): void }): EngineClient {
    const plan = this.#random.pick<TransportPlan>(["polling", "websocket", "upgrade"]);
    const options = { plan, sender: this.#attempt.stranger, upgradeMs: 0 };
    return new EngineClient(this.#network, options, { message: () => {}, closed: () => {}, ...events });
  }
}
