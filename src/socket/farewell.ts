import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import type { Pace } from "../base/pace.ts";
import type { End } from "../live/live-entry.ts";
import { type EndMessage, endEvent, endReasons } from "../protocol.ts";
import type { HandleContext } from "../session/session-handle.ts";
import { eventOf, farewellOf, sendPacket } from "./refusal-packet.ts";
import type { StateMessages } from "./state-messages.ts";
import { type Codec, type EngineConnection, type Packet, packetsOf, packetTypes } from "./upstream.ts";
import { discardWaiting, gate, ungate } from "./upstream-traffic.ts";

export interface FarewellContext extends HandleContext {
  /** Undefined if the application shares nothing. */
  readonly states: StateMessages | undefined;
  readonly codec: Codec;
  /** How long the response with the new cookie may take. */
  readonly rebindMs: number;
  /** Sends farewells. Their clients stay away. */
  readonly dismissals: Pace;
  /** Closes transports whose clients come back, each with a read of the store. */
  readonly returns: Pace;
}

/** How long a farewell may wait for a polling client to fetch it. */
const farewellMs = 2_000;

/** How a connection ends with its session: it is silent at once, may get a last message, and then its transport closes. */
export class Farewell {
  readonly #context: FarewellContext;
  readonly #connection: EngineConnection;
  #isGated = false;
  #isSending = false;

  constructor(context: FarewellContext, connection: EngineConnection) {
    this.#context = context;
    this.#connection = connection;
  }

  /** True while the last message is sent, which is the only traffic then allowed. */
  get isSending(): boolean {
    return this.#isSending;
  }

  /** `dismissed`: the sockets that the end disconnects, of now: its listeners may disconnect them before their turn. */
  begin({ reason, settled, message }: End, dismissed: () => readonly Socket[]): void {
    const connection = this.#connection;
    const { codec, dismissals, returns } = this.#context;
    // JavaScript code, another package's store or a newer node may give a reason that is not in the table
    const known = Object.hasOwn(endReasons, String(reason)) ? reason : "revoked";
    const stops = endReasons[known].client === "stops";
    // a client that does not know yet that it is connected would ignore the farewell
    const isNeeded = (message: unknown) =>
      packetsOf(codec, message).some(({ type }) => type === packetTypes.CONNECT);
    this.#attempt(() => discardWaiting(connection, stops ? isNeeded : undefined));
    const sockets = dismissed();
    this.#isGated = gate(connection);
    const farewell = { reason: known, ...(message === undefined ? {} : { message }) };
    if (stops) dismissals.run(() => this.#dismiss(sockets, farewell));
    else if (known === "replaced") this.#replace(sockets, settled);
    // not at once: Socket.IO may be sending, or joining a namespace
    else process.nextTick(() => returns.run(() => this.#close()));
  }

  /** Sends the reason, disconnects every socket so that a stock client stays away, and closes, whatever fails. */
  #dismiss(sockets: readonly Socket[], farewell: EndMessage): void {
    this.#sendLast(sockets.flatMap(({ nsp }) => farewellOf(nsp.name, endEvent, farewell)));
    for (const socket of sockets) this.#attempt(() => void socket.disconnect());
    this.#closeWhenSent();
  }

  /**
   * Closes the transport when the client has its new cookie; a stock client reconnects with it. A page that gets states receives
   * the reason first, so that it reconnects at once.
   */
  #replace(sockets: readonly Socket[], settled: Promise<void> | undefined): void {
    const { states, hub, rebindMs } = this.#context;
    const message: EndMessage = { reason: "replaced" };
    const packets = states ? sockets.map(({ nsp }) => eventOf(nsp.name, endEvent, message)) : [];
    let isDone = false; // the response may settle late, or the client poll late
    const close = () => {
      if (isDone) return;
      isDone = true;
      // a client that upgrades may have stopped to poll: the close is the one packet that it must get
      if (packets.length === 0 || this.#connection.upgrading) return this.#close();
      this.#sendLast(packets);
      this.#closeWhenSent();
    };
    const cancel = hub.clock.after(rebindMs, close);
    this.#connection.once("close", cancel);
    void settled?.then(close);
  }

  /** Past the gate, which has been closed to everything else. */
  #sendLast(packets: readonly Packet[]): void {
    const { codec } = this.#context;
    this.#isSending = true;
    if (this.#isGated) ungate(this.#connection);
    for (const packet of packets) this.#attempt(() => sendPacket(this.#connection, codec, packet));
    this.#isSending = false;
    gate(this.#connection);
  }

  #closeWhenSent(): void {
    if (this.#connection.writeBuffer.length === 0) {
      this.#close();
      return;
    }
    this.#connection.once("drain", () => this.#close());
    const cancel = this.#context.hub.clock.after(farewellMs, () => this.#close());
    this.#connection.once("close", cancel);
  }

  #close(): void {
    closeTransport(this.#connection, this.#context.hub.report);
  }

  #attempt(step: () => void): void {
    attempt(step, this.#context.hub.report);
  }
}

/** Closes it as Engine.IO does, whatever a parser or a listener of the application does then. */
export function closeTransport(connection: EngineConnection, report: (error: unknown) => void): void {
  attempt(() => void connection.close(true), report);
}

/**
 * Runs one step of an end. If the application's parser, adapter or listeners fail in it, the next step runs all the
 * same.
 */
function attempt(step: () => void, report: (error: unknown) => void): void {
  isolate(step, report, "A parser, adapter or listener of the application, at the end of a session,");
}
