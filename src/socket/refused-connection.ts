import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import type { Hub } from "../live/hub.ts";
import { type RefusalCode, refusals } from "../protocol.ts";
import { type Codec, type EngineConnection, packetsOf, packetTypes } from "./upstream.ts";

interface RefusalContext {
  readonly codec: Codec;
  readonly hub: Hub;
  /** Called once, when the client is actually refused, or is closed for its silence. */
  readonly onRefused: () => void;
}

/** A stock client closes once all its namespaces are refused; any other is closed after this time. */
const afterFirstMs = 1_000;
const afterSilenceMs = 5_000;

/**
 * Answers every namespace that a refused client asks for with `CONNECT_ERROR` and the code, at which a stock client
 * stops; then closes. Passes nothing else in either direction. If `isExempt` is given, packets of exempt namespaces
 * pass, and the connection stays while a socket in one of them is `joined`.
 */
export class RefusedConnection {
  readonly #connection: EngineConnection;
  readonly #code: RefusalCode;
  readonly #context: RefusalContext;
  readonly #isExempt: ((namespace: string) => boolean) | undefined;
  readonly #inUse = new Set<Socket>();
  /** Cancels the time-out, which runs whenever no socket is in use, and may also run out while one is. */
  #cancel: (() => void) | undefined;
  #answered = false;
  #cameForExempt = false;
  #isReported = false;

  constructor(
    connection: EngineConnection,
    code: RefusalCode,
    context: RefusalContext,
    isExempt: ((namespace: string) => boolean) | undefined,
  ) {
    this.#connection = connection;
    this.#code = code;
    this.#context = context;
    this.#isExempt = isExempt;
    connection.once("close", () => this.#cancel?.());
    if (!isExempt) this.#reportRefusal();
    this.#closeUnlessUsed(afterSilenceMs);
    if (connection.protocol === 3 && !isExempt?.("/")) this.#refuse("/"); // a client of revision 3 joins this one unasked
  }

  /** Refuses each namespace that the client's message asks for; false if it asks for none. */
  refuses(data: unknown): boolean {
    const refused = packetsOf(this.#context.codec, data).filter(
      ({ type, nsp }) => type === packetTypes.CONNECT && !this.#mayAskFor(nsp),
    );
    for (const { nsp } of refused) this.#refuse(nsp);
    return refused.length > 0;
  }

  mayUse(namespace: string): boolean {
    return this.#isExempt?.(namespace) ?? false;
  }

  /** `socket` is in an exempt namespace, or still in its middleware. */
  joined(socket: Socket): void {
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
    if (isLast && (wasIn || !this.#cancel)) this.#closeUnlessUsed(afterSilenceMs);
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

  #reportRefusal(): void {
    if (!this.#isReported) this.#context.onRefused();
    this.#isReported = true;
  }

  #refuse(namespace: string): void {
    this.#reportRefusal();
    const { meaning } = refusals[this.#code];
    const refusal = { message: meaning, data: { code: this.#code } };
    const data = this.#connection.protocol === 3 ? refusal.data : refusal;
    const packet = { type: packetTypes.CONNECT_ERROR, nsp: namespace, data };
    const { codec, hub } = this.#context;
    const answer = () => {
      for (const encoded of codec.encode(packet)) this.#connection.write(encoded);
    };
    isolate(answer, hub.report, "The application's parser, at a refusal,");
    if (this.#answered || this.#isExempt) return; // the client may ask for an exempt namespace next
    this.#answered = true;
    this.#closeUnlessUsed(afterFirstMs);
  }

  #closeUnlessUsed(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#context.hub.clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.#inUse.size > 0) return;
      if (!this.#cameForExempt) this.#reportRefusal();
      this.#connection.close(true);
    });
  }
}
