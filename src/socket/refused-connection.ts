import type { Clock } from "../clock.ts";
import { type RefusalCode, refusals } from "../protocol.ts";
import { type Codec, type EngineConnection, packetTypes } from "./upstream.ts";

/** The client closes as soon as all its namespaces are refused; one that does not is closed. */
const afterFirstMs = 1_000;
const afterSilenceMs = 5_000;

/**
 * Answers every namespace a refused client asks for with `CONNECT_ERROR` and the code, at which a stock client stops,
 * and closes. Nothing else is taken or sent. With `exempt` namespaces their packets pass, and the connection stays
 * for as long as one of them is in use.
 */
export class RefusedConnection {
  readonly #connection: EngineConnection;
  readonly #code: RefusalCode;
  readonly #codec: Codec;
  readonly #clock: Clock;
  readonly #isExempt: (namespace: string) => boolean;
  #cancel: () => void;
  #answered = false;
  #exemptInUse = false;

  constructor(
    connection: EngineConnection,
    code: RefusalCode,
    codec: Codec,
    clock: Clock,
    isExempt: (namespace: string) => boolean,
  ) {
    this.#connection = connection;
    this.#code = code;
    this.#codec = codec;
    this.#clock = clock;
    this.#isExempt = isExempt;
    this.#cancel = clock.after(afterSilenceMs, () => connection.close(true));
    connection.once("close", () => this.#cancel());
    if (connection.protocol === 3 && !isExempt("/")) this.#refuse("/"); // revision 3 connects to it unasked
  }

  /** Looks at what the client sent, and refuses it if it asks for a namespace; false if it is anything else. */
  refuses(data: unknown): boolean {
    let refused = false;
    const decoder = this.#codec.decoder();
    decoder.on("decoded", ({ type, nsp }) => {
      if (type !== packetTypes.CONNECT) return;
      if (this.#isExempt(this.#nameOf(nsp))) this.#exemptInUse = true;
      else {
        refused = true;
        this.#refuse(nsp);
      }
    });
    try {
      decoder.add(data);
    } catch {
      // not a packet of its own: an attachment, or not this protocol; whoever takes it will see
    }
    decoder.destroy();
    return refused;
  }

  /** In protocol revision 3 a namespace is written as an address, and Socket.IO takes its path. */
  #nameOf(nsp: string): string {
    return this.#connection.protocol === 3 ? new URL(nsp, "https://socket.io").pathname : nsp;
  }

  #refuse(namespace: string): void {
    const { meaning } = refusals[this.#code];
    const refusal = { message: meaning, data: { code: this.#code } };
    const data = this.#connection.protocol === 3 ? refusal.data : refusal;
    const packet = { type: packetTypes.CONNECT_ERROR, nsp: namespace, data };
    for (const encoded of this.#codec.encode(packet)) this.#connection.write(encoded);
    if (this.#answered || this.#exemptInUse) return;
    this.#answered = true;
    this.#cancel();
    this.#cancel = this.#clock.after(afterFirstMs, () => {
      if (!this.#exemptInUse) this.#connection.close(true);
    });
  }
}
