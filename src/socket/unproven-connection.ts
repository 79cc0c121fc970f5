import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import { property } from "../base/shapes.ts";
import type { Hub } from "../live/hub.ts";
import type { RefusalCode } from "../protocol.ts";
import { sendRefusal } from "./refusal-packet.ts";
import { carriesTicket } from "./ticket-auth.ts";
import { type Codec, type EngineConnection, type Packet, packetsOf, packetTypes } from "./upstream.ts";

export interface UnprovenContext {
  readonly codec: Codec;
  readonly hub: Hub;
  readonly unprovenMs: number;
  /** The answer to a client that brings no ticket; undefined lets it in as a guest. */
  readonly code: RefusalCode | undefined;
  /** The namespaces that need no session; undefined if there are none. */
  readonly isExempt: ((namespace: string) => boolean) | undefined;
  /**
   * Proves the session by a ticket; false if the ticket is not good, or the store has failed: it has then closed the
   * connection. Never rejects. Absent where tickets are not taken.
   */
  readonly redeem: ((ticket: unknown) => Promise<boolean>) | undefined;
  /** Called when the first socket joins an exempt namespace, and when the last one has left: the client may then be closed. */
  readonly usedExempt: () => void;
  readonly leftExempt: () => void;
  /** Called once, when a ticket has proven the session, or for a guest. Socket.IO receives the messages from then on. */
  readonly admit: (as: "guest" | "proven") => void;
  readonly onRefused: (code: RefusalCode) => void;
}

/** A stock client closes once all its namespaces are refused; any other is closed after this time. */
const afterRefusalMs = 1_000;
/** A client asks for each of its namespaces once. One that is refused more often is closed. */
const maxAsked = 32;
/** A client with a ticket asks for all its namespaces at once: how many messages, and characters or bytes of these. */
const maxWaiting = { count: 256, size: 1_000_000 };

/**
 * A connection whose handshake has proven no session. The client may send `CONNECT`, and nothing else: with a ticket, which
 * proves the session of the whole connection; else it is answered with `CONNECT_ERROR` and a code, at which a stock client
 * stops. Messages that come while a ticket is being redeemed wait for the outcome. If `isExempt` is given, packets of exempt
 * namespaces pass, and the connection stays while a socket in one of them is `joined`. Any other is closed after
 * `unprovenMs`, or a second after a refusal.
 */
export class UnprovenConnection {
  readonly #connection: EngineConnection;
  readonly #context: UnprovenContext;
  readonly #inUse = new Set<Socket>();
  /** Cancels the time-out, which runs whenever no socket is in use, and may also run out while one is. */
  #cancel: (() => void) | undefined;
  #deadline = 0;
  /** Messages to be handled once the ticket in the first of them has been redeemed. */
  #waiting: unknown[] = [];
  #asked = 0;
  #isOver = false;
  #cameForExempt = false;
  #isReported = false;

  constructor(connection: EngineConnection, context: UnprovenContext) {
    this.#connection = connection;
    this.#context = context;
    connection.once("close", () => this.#end());
    this.#startTimeout();
    const { code, isExempt } = context;
    // a client of revision 3 joins this one unasked, and can't send a ticket
    if (connection.protocol === 3 && code && !isExempt?.("/")) this.#refuse("/", code);
  }

  /** Whether Socket.IO may have the client's message. If not, it is answered here, or waits. */
  passes(message: unknown): boolean {
    if (this.#isOver) return true;
    const { codec, isExempt } = this.#context;
    const asked = packetsOf(codec, message).filter(
      ({ type, nsp }) => type === packetTypes.CONNECT && !this.#mayAskFor(nsp),
    );
    if (asked.length === 0) {
      if (!isExempt) this.#connection.close(true); // nothing else is accepted
      return isExempt !== undefined;
    }
    if (this.#waiting.length > 0) {
      this.#waiting.push(message);
      const size = this.#waiting.reduce<number>((sum, one) => sum + sizeOf(one), 0);
      if (this.#waiting.length > maxWaiting.count || size > maxWaiting.size) this.#drop();
      return false;
    }
    this.#asked += asked.length; // once for each message: one that has waited comes here a second time
    if (this.#asked > maxAsked) this.#drop();
    else if (!this.#redeems(asked, message)) this.#decide(asked);
    return this.#isOver && this.#connection.readyState === "open"; // it is a guest's now
  }

  mayUse(namespace: string): boolean {
    return this.#context.isExempt?.(namespace) ?? false;
  }

  /** `socket` is in an exempt namespace, or still in its middleware. */
  joined(socket: Socket): void {
    if (this.#inUse.size === 0) this.#context.usedExempt();
    this.#inUse.add(socket);
    this.#cameForExempt = true;
  }

  /**
   * The socket has left, so the time-out starts again. It does not if only a middleware refused the socket, or a client
   * could keep asking for ever.
   */
  left(socket: Socket): void {
    this.#inUse.delete(socket);
    const isLast = this.#inUse.size === 0 && this.#connection.readyState !== "closed";
    const wasIn = socket.connected; // Socket.IO keeps this true until it has cleaned up
    if (isLast && !this.#isOver) this.#context.leftExempt();
    if (isLast && (wasIn || !this.#cancel)) this.#startTimeout();
  }

  /** Redeems the ticket that one of the packets carries; false if none does. */
  #redeems(asked: readonly Packet[], message: unknown): boolean {
    const { redeem } = this.#context;
    const auth = asked.map(({ data }) => data).find(carriesTicket);
    if (!redeem || !auth) return false;
    this.#waiting = [message];
    this.#closeIn(Number.POSITIVE_INFINITY);
    void redeem(auth.ticket).then((isGood) => this.#redeemed(isGood, asked));
    return true;
  }

  #redeemed(isGood: boolean, asked: readonly Packet[]): void {
    if (this.#isOver) return; // it has closed
    const [first, ...others] = this.#waiting;
    this.#waiting = [];
    if (isGood) this.#admit("proven");
    else for (const { nsp } of asked) this.#refuse(nsp, "TICKET_INVALID");
    for (const message of isGood ? [first, ...others] : others) this.#connection.emit("data", message);
  }

  /** Answers a client without a ticket. */
  #decide(asked: readonly Packet[]): void {
    const { code } = this.#context;
    if (!code) this.#admit("guest");
    else for (const { nsp } of asked) this.#refuse(nsp, code);
  }

  #admit(as: "guest" | "proven"): void {
    this.#end();
    this.#context.admit(as);
  }

  #end(): void {
    this.#isOver = true;
    this.#waiting = [];
    this.#cancel?.();
  }

  /** The namespace's name as Socket.IO reads it; in protocol revision 3 it is written as a URL. */
  #nameOf(nsp: string): string | undefined {
    if (this.#connection.protocol !== 3) return nsp.startsWith("/") ? nsp : `/${nsp}`;
    return URL.parse(nsp, "https://socket.io")?.pathname;
  }

  /** An application's own parser may return any value as a name. */
  #mayAskFor(nsp: unknown): boolean {
    const name = typeof nsp === "string" ? this.#nameOf(nsp) : undefined;
    return name !== undefined && this.mayUse(name);
  }

  /** Each wrong ticket counts; else a client counts once, whatever the number of its namespaces. */
  #reportRefusal(code: RefusalCode): void {
    if (!this.#isReported || code === "TICKET_INVALID") this.#context.onRefused(code);
    this.#isReported = true;
  }

  #refuse(namespace: string, code: RefusalCode): void {
    this.#reportRefusal(code);
    const { codec, hub, isExempt } = this.#context;
    isolate(
      () => sendRefusal(this.#connection, codec, namespace, code),
      hub.report,
      "The application's parser, at a refusal,",
    );
    if (!isExempt) this.#closeIn(afterRefusalMs); // else the client may ask for an exempt namespace next
  }

  #startTimeout(): void {
    const { hub, unprovenMs } = this.#context;
    this.#deadline = hub.clock.now() + unprovenMs;
    this.#closeIn(unprovenMs);
  }

  /** Closes the connection after `ms`, at its deadline at the latest. */
  #closeIn(ms: number): void {
    if (this.#isOver) return;
    const { clock } = this.#context.hub;
    this.#cancel?.();
    this.#cancel = clock.after(Math.min(ms, Math.max(0, this.#deadline - clock.now())), () => {
      this.#cancel = undefined;
      const isLate = this.#waiting.length > 0; // the store's answer: the client is not refused
      if (this.#inUse.size === 0) this.#drop(isLate);
    });
  }

  #drop(isRedeeming = false): void {
    const { code } = this.#context;
    if (!this.#cameForExempt && !isRedeeming && code) this.#reportRefusal(code);
    this.#connection.close(true);
  }
}

/** Of text or binary data, as Engine.IO gives it. */
function sizeOf(message: unknown): number {
  return typeof message === "string" ? message.length : Number(property(message, "byteLength") ?? 0);
}
