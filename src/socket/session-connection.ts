import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import type { End, LiveEntry, Observer } from "../live/live-entry.ts";
import { type EndReasonCode, endEvent, endReasons } from "../protocol.ts";
import type { Activity } from "../session/activity.ts";
import { GuestHandle, type HandleContext, SessionHandle } from "../session/session-handle.ts";
import type { SessionKey } from "../session-store.ts";
import { guardHandlers } from "./guarded-handlers.ts";
import {
  type Codec,
  discardWaiting,
  type EngineConnection,
  gate,
  guardPackets,
  guardWrites,
  packetsOf,
  packetTypes,
} from "./upstream.ts";

export interface ConnectionContext extends HandleContext {
  readonly activity: Activity;
  readonly codec: Codec;
  readonly rebindMs: number;
  /** Namespaces with an authentication of their own. */
  readonly isExempt: (namespace: string) => boolean;
}

/** How long a farewell may wait for a polling client to fetch it. */
const farewellMs = 2_000;

/**
 * One Engine.IO connection with the session it is bound to. It exists from the handshake's admission on (registered
 * with the hub before the store is read), gets its connection by `claim`, and ends with either.
 */
export class SessionConnection {
  readonly #context: ConnectionContext;
  readonly #entry: LiveEntry | undefined;
  readonly #observer: Observer = { ended: (end) => this.#end(end) };
  readonly #handles = new Map<Socket, SessionHandle | GuestHandle>();
  #connection: EngineConnection | undefined;
  /** True while the farewell is sent, which is the only traffic then allowed. */
  #isParting = false;
  #released = false;

  /** `key` is undefined for a guest. */
  constructor(context: ConnectionContext, key: SessionKey | undefined) {
    this.#context = context;
    this.#entry = key && context.hub.observe(key, this.#observer);
  }

  /** Reads the session; false if it is over. */
  async load(): Promise<boolean> {
    return this.#entry === undefined || (await this.#context.hub.reads.load(this.#entry)) !== null;
  }

  get isEnded(): boolean {
    return this.#entry?.isEnded ?? false;
  }

  get isUnverified(): boolean {
    return this.#entry?.isUnverified ?? false;
  }

  /** Whether the connection may be served. If not, the call has closed it. */
  get isServable(): boolean {
    return this.#entry === undefined || this.#context.hub.freshness.isServable(this.#entry);
  }

  get isClaimed(): boolean {
    return this.#connection !== undefined;
  }

  /** The session's data, for `socket.request.session`. */
  get data(): Readonly<Record<string, unknown>> {
    const state = this.#entry?.state;
    if (state?.phase === "live") return state.snapshot.data;
    return (state?.phase === "ended" && state.last?.data) || {};
  }

  /** The handshake has become `connection`. */
  claim(connection: EngineConnection): void {
    this.#connection = connection;
    connection.once("close", () => this.release());
    const entry = this.#entry;
    if (!entry) return;
    guardWrites(connection, () => this.#isParting || this.isServable);
    this.#context.activity.onEvent(entry);
  }

  /** Gives `socket` its `session`, and counts its events as activity. */
  welcome(socket: Socket): void {
    const handle = this.#entry ? new SessionHandle(this.#context, this.#entry) : new GuestHandle();
    this.#handles.set(socket, handle);
    Object.defineProperty(socket, "session", { value: handle, enumerable: false });
    guardHandlers(socket, {
      report: (error) => this.#context.hub.report(error),
      isOver: () => !this.isServable, // an event may have waited for long, as in a process that was frozen
    });
    guardPackets(socket, () => this.isServable);
    socket.use((_event, next) => {
      if (this.#entry) this.#context.activity.onEvent(this.#entry);
      next();
    });
  }

  farewell(socket: Socket): void {
    this.#handles.get(socket)?.release();
    this.#handles.delete(socket);
  }

  /** Ends the transport, so that a stock client connects again. */
  close(): void {
    if (this.#connection) this.#close(this.#connection);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const handle of this.#handles.values()) handle.release();
    this.#handles.clear();
    if (this.#entry) this.#context.hub.release(this.#entry, this.#observer);
  }

  #end({ reason, settled }: End): void {
    const connection = this.#connection;
    if (!connection) return;
    const known = isKnown(reason) ? reason : "revoked";
    if (endReasons[known].client === "stops") this.#dismiss(connection, known);
    else this.#replace(connection, known, settled);
  }

  /** Sends the reason, disconnects every socket so that a stock client stays away, and closes, whatever fails. */
  #dismiss(connection: EngineConnection, reason: EndReasonCode): void {
    const sockets = [...this.#handles.keys()].filter(({ nsp }) => !this.#context.isExempt(nsp.name));
    const { codec } = this.#context;
    // a client that does not know yet that it is connected would ignore the farewell
    discardWaiting(connection, (message) =>
      packetsOf(codec, message).some(({ type }) => type === packetTypes.CONNECT),
    );
    this.#isParting = true;
    for (const { connected, nsp } of sockets) {
      if (!connected) continue;
      this.#send(connection, { type: packetTypes.EVENT, nsp: nsp.name, data: [endEvent, { reason }] });
      this.#send(connection, { type: packetTypes.DISCONNECT, nsp: nsp.name });
    }
    this.#isParting = false;
    gate(connection);
    for (const socket of sockets) this.#attempt(() => void socket.disconnect());
    if (connection.writeBuffer.length === 0) {
      this.#close(connection);
      return;
    }
    connection.once("drain", () => this.#close(connection));
    this.#closeAfter(connection, farewellMs);
  }

  /**
   * Stops all traffic at once. Closes the transport when the client has its new cookie; a stock client reconnects with
   * it.
   */
  #replace(connection: EngineConnection, reason: EndReasonCode, settled: Promise<void> | undefined): void {
    discardWaiting(connection);
    gate(connection);
    if (reason !== "replaced") {
      // not at once: Socket.IO may be sending, or joining a namespace
      process.nextTick(() => this.#close(connection));
      return;
    }
    this.#closeAfter(connection, this.#context.rebindMs);
    void settled?.then(() => this.#close(connection));
  }

  #closeAfter(connection: EngineConnection, ms: number): void {
    const cancel = this.#context.hub.clock.after(ms, () => this.#close(connection));
    connection.once("close", cancel);
  }

  #close(connection: EngineConnection): void {
    this.#attempt(() => void connection.close(true));
  }

  #send(connection: EngineConnection, packet: Parameters<Codec["encode"]>[0]): void {
    this.#attempt(() => {
      for (const encoded of this.#context.codec.encode(packet)) connection.write(encoded);
    });
  }

  /**
   * Runs one step of an end. If the application's parser, adapter or listeners fail in it, the next step runs all the
   * same.
   */
  #attempt(step: () => void): void {
    const { hub } = this.#context;
    isolate(
      step,
      (error) => hub.report(error),
      "A parser, adapter or listener of the application, at the end of a session,",
    );
  }
}

/** JavaScript code, another package's store or a newer node may give a reason that is not in the table. */
function isKnown(reason: unknown): reason is EndReasonCode {
  return typeof reason === "string" && Object.hasOwn(endReasons, reason);
}
