import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import type { Hub } from "../live/hub.ts";
import { type RefusalCode, refusals } from "../protocol.ts";
import { type Codec, type EngineConnection, packetsOf, packetTypes } from "./upstream.ts";

interface RefusalContext {
  readonly codec: Codec;
  readonly hub: Hub;
  /** Called once if the client is in fact refused something, or closed for its silence. */
  readonly onRefused: () => void;
}

/** The client closes as soon as all its namespaces are refused; one that does not is closed. */
const afterFirstMs = 1_000;
const afterSilenceMs = 5_000;

/**
 * Answers every namespace a refused client asks for with `CONNECT_ERROR` and the code, at which a stock client stops,
 * and closes. Nothing else is taken or sent. Where `isExempt` is given, packets of exempt namespaces pass, and the
 * connection stays for as long as a socket in one of them is `joined`.
 */
export class RefusedConnection {
  readonly #connection: EngineConnection;
  readonly #code: RefusalCode;
  readonly #context: RefusalContext;
  readonly #isExempt: ((namespace: string) => boolean) | undefined;
  readonly #inUse = new Set<Socket>();
  /** Of the time-out, which runs whenever nothing is in use, and may also run out while something is. */
  #cancel: (() => void) | undefined;
  #answered = false;
  #cameForExempt = false;
  #isTold = false;

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
    if (!isExempt) this.#tell();
    this.#closeUnlessUsed(afterSilenceMs);
    if (connection.protocol === 3 && !isExempt?.("/")) this.#refuse("/"); // revision 3 connects to it unasked
  }

  /** Looks at what the client sent, and refuses it if it asks for a namespace; false if it is anything else. */
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

  /** `socket` is in an exempt namespace, or in its middleware. */
  joined(socket: Socket): void {
    this.#inUse.add(socket);
    this.#cameForExempt = true;
  }

  /** From here the client has its time again. One that only middleware has refused gains none, or it could ask for ever. */
  left(socket: Socket): void {
    this.#inUse.delete(socket);
    const isLast = this.#inUse.size === 0 && this.#connection.readyState !== "closed";
    const wasIn = socket.connected; // Socket.IO says so until it has cleaned up
    if (isLast && (wasIn || !this.#cancel)) this.#closeUnlessUsed(afterSilenceMs);
  }

  /** The name of the namespace that Socket.IO would make of it; in protocol revision 3 it is written as an address. */
  #nameOf(nsp: string): string | undefined {
    if (this.#connection.protocol !== 3) return nsp.startsWith("/") ? nsp : `/${nsp}`;
    const base = "https://socket.io";
    return URL.canParse(nsp, base) ? new URL(nsp, base).pathname : undefined;
  }

  /** A parser of the application's may give anything for a name. */
  #mayAskFor(nsp: unknown): boolean {
    const name = typeof nsp === "string" ? this.#nameOf(nsp) : undefined;
    return name !== undefined && this.mayUse(name);
  }

  #tell(): void {
    if (!this.#isTold) this.#context.onRefused();
    this.#isTold = true;
  }

  #refuse(namespace: string): void {
    this.#tell();
    const { meaning } = refusals[this.#code];
    const refusal = { message: meaning, data: { code: this.#code } };
    const data = this.#connection.protocol === 3 ? refusal.data : refusal;
    const packet = { type: packetTypes.CONNECT_ERROR, nsp: namespace, data };
    const { codec, hub } = this.#context;
    const answer = () => {
      for (const encoded of codec.encode(packet)) this.#connection.write(encoded);
    };
    isolate(answer, (error) => hub.report(error), "The application's parser, at a refusal,");
    if (this.#answered || this.#isExempt) return; // an exempt namespace may be asked for next
    this.#answered = true;
    this.#closeUnlessUsed(afterFirstMs);
  }

  #closeUnlessUsed(ms: number): void {
    this.#cancel?.();
    this.#cancel = this.#context.hub.clock.after(ms, () => {
      this.#cancel = undefined;
      if (this.#inUse.size > 0) return;
      if (!this.#cameForExempt) this.#tell();
      this.#connection.close(true);
    });
  }
}
