import type { Socket } from "socket.io";
import { isolate } from "../base/isolated-emitter.ts";
import type { Pace } from "../base/pace.ts";
import type { End, LiveEntry, Observer } from "../live/live-entry.ts";
import { type EndMessage, endEvent, endReasons } from "../protocol.ts";
import type { Activity } from "../session/activity.ts";
import { GuestHandle, type HandleContext, SessionHandle } from "../session/session-handle.ts";
import type { SessionKey } from "../session-store.ts";
import type { SessionPids } from "./recovery.ts";
import { eventOf, farewellOf, sendPacket } from "./refusal-packet.ts";
import type { Holder, SocketLimit } from "./socket-limit.ts";
import type { Followed, SocketRules } from "./socket-rules.ts";
import type { StateMessages } from "./state-messages.ts";
import type { UnprovenConnection } from "./unproven-connection.ts";
import { cutUnsent, whenSent } from "./unsent.ts";
import { type Codec, type EngineConnection, type Packet, packetsOf, packetTypes } from "./upstream.ts";
import {
  discardWaiting,
  gate,
  guardSocket,
  guardWrites,
  type TrafficGuard,
  ungate,
} from "./upstream-traffic.ts";

export interface ConnectionContext extends HandleContext {
  readonly activity: Activity;
  readonly rules: SocketRules;
  /** Undefined if the application shares nothing. */
  readonly states: StateMessages | undefined;
  readonly limit: SocketLimit;
  readonly codec: Codec;
  readonly pidsOf: (sid: string) => SessionPids;
  readonly rebindMs: number;
  /** Sends farewells. Their clients stay away. */
  readonly dismissals: Pace;
  /** Closes transports whose clients come back, each with a read of the store. */
  readonly returns: Pace;
  /** Namespaces with an authentication of their own. */
  readonly isExempt: (namespace: string) => boolean;
}

interface Member {
  readonly socket: Socket;
  readonly handle: SessionHandle | GuestHandle;
}

/** How long a farewell may wait for a polling client to fetch it. */
const farewellMs = 2_000;
/** How long a slow client may go on reading after its transport is closed: what is left then is discarded. */
const lingerMs = 1_000;

/**
 * One Engine.IO connection with the session it is bound to. It exists from the handshake's admission on (registered
 * with the hub before the store is read), gets its connection by `claim`, and ends with either.
 */
export class SessionConnection implements Observer, TrafficGuard, Holder {
  readonly #context: ConnectionContext;
  readonly #entry: LiveEntry | undefined;
  /** Usually one: an array takes the least memory. */
  #members: readonly Member[] = [];
  readonly #unproven: UnprovenConnection | undefined;
  #connection: EngineConnection | undefined;
  /** True while the farewell is sent, which is the only traffic then allowed. */
  #isParting = false;
  #released = false;

  /**
   * `session` is undefined for a guest without one, and for a client that has proven no session, but may use exempt
   * namespaces.
   */
  constructor(context: ConnectionContext, session?: SessionKey | LiveEntry, unproven?: UnprovenConnection) {
    this.#context = context;
    this.#unproven = unproven;
    this.#entry = session && context.hub.observe(session, this);
  }

  /** Reads the session; false if it is over. That of a guest who has written nothing is not stored, so it is not read. */
  async load(): Promise<boolean> {
    const entry = this.#entry;
    return !entry || entry.isUnstored || (await this.#context.hub.reads.loadTogether(entry)) !== null;
  }

  /** How many are connected, in all namespaces; undefined before the handshake has become a connection. */
  get sockets(): number | undefined {
    return this.#connection && this.#members.filter(({ socket }) => socket.connected).length;
  }

  /** Whether it is a guest's who has a session, and has written nothing to it. */
  get isUnstored(): boolean {
    return this.#entry?.isUnstored ?? false;
  }

  get report(): TrafficGuard["report"] {
    return this.#context.hub.report;
  }

  get isEnded(): boolean {
    return this.#entry?.isEnded ?? false;
  }

  isOf(sid: string | undefined): boolean {
    return sid !== undefined && this.#entry?.key.sid === sid;
  }

  get isUnverified(): boolean {
    return this.#entry?.isUnverified ?? false;
  }

  /** Whether the connection may be served. If not, the call has closed it. */
  get isServable(): boolean {
    return this.#entry === undefined || this.#context.hub.freshness.isServable(this.#entry);
  }

  get rules(): SocketRules {
    return this.#context.rules;
  }

  get followed(): Followed | undefined {
    return (
      this.#entry &&
      this.#connection && { entry: this.#entry, connection: this.#connection, codec: this.#context.codec }
    );
  }

  /** The session's pids; undefined if there is no session, or it may not be served. */
  get pids(): SessionPids | undefined {
    return this.#entry && this.isServable ? this.#context.pidsOf(this.#entry.key.sid) : undefined;
  }

  /** The session's data, for `socket.request.session`. */
  get data(): Readonly<Record<string, unknown>> {
    const state = this.#entry?.state;
    if (state?.phase === "live") return state.snapshot.data;
    return (state?.phase === "ended" && state.last?.data) || {};
  }

  /** The handshake has become `connection`. The caller releases it when that closes. */
  claim(connection: EngineConnection): void {
    this.#connection = connection;
    const entry = this.#entry;
    if (!entry) return;
    guardWrites(connection, this);
    this.#context.activity.onEvent(entry);
  }

  mayWrite(): boolean {
    return this.#isParting || this.isServable;
  }

  /** Events are activity; acknowledgements are not. */
  mayTake({ type }: Packet): boolean {
    if (!this.isServable) return false;
    const isEvent = type === packetTypes.EVENT || type === packetTypes.BINARY_EVENT;
    if (isEvent && this.#entry) this.#context.activity.onEvent(this.#entry);
    return true;
  }

  /** Whether the client may use this namespace. */
  mayUse(namespace: string): boolean {
    return this.#unproven?.mayUse(namespace) ?? true;
  }

  /** Takes a place for a socket that is about to be made; false if the session has as many as it may have. */
  takePlace(namespace: string): boolean {
    const { limit, isExempt } = this.#context;
    return !this.#entry || this.#released || isExempt(namespace) || limit.take(this.#entry, this);
  }

  /** See `SocketLimit.freed`, to be called where there is no place. */
  placeFreed(): Promise<boolean> | true {
    return !this.#entry || this.#context.limit.freed(this.#entry);
  }

  /** A client of the protocol's revision 3 pings by itself, and can't be asked. */
  ask(answered: () => void): void {
    const connection = this.#connection;
    if (connection && connection.protocol !== 3) {
      connection.once("heartbeat", answered);
      connection.sendPacket("ping");
    } else answered();
  }

  /** Gives `socket` its `session`. */
  welcome(socket: Socket): void {
    const handle = this.#entry
      ? new SessionHandle(this.#context, this.#entry, { peer: socket })
      : new GuestHandle();
    this.#members = [...this.#members, { socket, handle }];
    Object.defineProperty(socket, "session", { value: handle, enumerable: false });
    guardSocket(socket, this);
    if (this.mayUse(socket.nsp.name)) this.#unproven?.joined(socket);
  }

  left(socket: Socket): void {
    const own = this.#members.find((member) => member.socket === socket);
    own?.handle.release();
    this.#members = this.#members.filter((member) => member !== own);
    const { limit, isExempt } = this.#context;
    if (own && this.#entry && !isExempt(socket.nsp.name)) limit.giveBack(this.#entry, this, 1);
    this.#unproven?.left(socket);
    if (this.#entry) this.#context.states?.left(socket, this.#entry);
  }

  /** Ends the transport, so that a stock client connects again. */
  close(): void {
    if (this.#connection) this.#close(this.#connection);
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const { handle } of this.#members) handle.release();
    this.#members = [];
    if (!this.#entry) return;
    this.#context.limit.giveBack(this.#entry, this);
    this.#leave(this.#entry);
  }

  /** Leaves the session once nothing waits here for a slow client: no receipt confirms the end before. */
  #leave(entry: LiveEntry): void {
    const { hub } = this.#context;
    const connection = this.#connection;
    const leave = () => hub.release(entry, this);
    if (!connection) {
      leave();
      return;
    }
    const cut = () => cutUnsent(connection);
    const cancel = entry.isEnded ? hub.clock.after(entry.isUnverified ? 0 : lingerMs, cut) : undefined;
    whenSent(connection, () => {
      cancel?.();
      leave();
    });
  }

  /** The session has ended. All traffic stops at once; where many end, the transports close a few at a time. */
  ended({ reason, settled, message }: End): void {
    const connection = this.#connection;
    if (!connection) return;
    if (this.#released) {
      cutUnsent(connection);
      return;
    }
    const { codec, dismissals, returns } = this.#context;
    // JavaScript code, another package's store or a newer node may give a reason that is not in the table
    const known = Object.hasOwn(endReasons, String(reason)) ? reason : "revoked";
    const stops = endReasons[known].client === "stops";
    // a client that does not know yet that it is connected would ignore the farewell
    const isNeeded = (message: unknown) =>
      packetsOf(codec, message).some(({ type }) => type === packetTypes.CONNECT);
    this.#attempt(() => discardWaiting(connection, stops ? isNeeded : undefined));
    const sockets = this.#dismissed; // of now: listeners of the end may disconnect them before their turn
    const isGated = gate(connection);
    if (stops)
      dismissals.run(() =>
        this.#dismiss(
          connection,
          sockets,
          { reason: known, ...(message === undefined ? {} : { message }) },
          isGated,
        ),
      );
    else if (known === "replaced") this.#replace(connection, sockets, settled, isGated);
    // not at once: Socket.IO may be sending, or joining a namespace
    else process.nextTick(() => returns.run(() => this.#close(connection)));
  }

  /** The sockets that an end disconnects. */
  get #dismissed(): readonly Socket[] {
    const sockets = this.#members.map(({ socket }) => socket);
    return sockets.filter(({ connected, nsp }) => connected && !this.#context.isExempt(nsp.name));
  }

  /** Sends the reason, disconnects every socket so that a stock client stays away, and closes, whatever fails. */
  #dismiss(
    connection: EngineConnection,
    sockets: readonly Socket[],
    farewell: EndMessage,
    isGated: boolean,
  ): void {
    const packets = sockets.flatMap(({ nsp }) => farewellOf(nsp.name, endEvent, farewell));
    this.#sendLast(connection, packets, isGated);
    for (const socket of sockets) this.#attempt(() => void socket.disconnect());
    this.#closeWhenSent(connection);
  }

  /**
   * Closes the transport when the client has its new cookie; a stock client reconnects with it. A page that gets states is told, so
   * that it does so at once.
   */
  #replace(
    connection: EngineConnection,
    sockets: readonly Socket[],
    settled: Promise<void> | undefined,
    isGated: boolean,
  ): void {
    const message: EndMessage = { reason: "replaced" };
    const packets = this.#context.states
      ? sockets.map(({ nsp }) => eventOf(nsp.name, endEvent, message))
      : [];
    let isTold = false; // the response may settle late, or the client poll late
    const close = () => {
      if (isTold) return;
      isTold = true;
      // a client that upgrades may have stopped to poll: the close is the one packet that it must get
      if (packets.length === 0 || connection.upgrading) return this.#close(connection);
      this.#sendLast(connection, packets, isGated);
      this.#closeWhenSent(connection);
    };
    const cancel = this.#context.hub.clock.after(this.#context.rebindMs, close);
    connection.once("close", cancel);
    void settled?.then(close);
  }

  /** Past the gate, which has been closed to everything else. */
  #sendLast(connection: EngineConnection, packets: readonly Packet[], isGated: boolean): void {
    this.#isParting = true;
    if (isGated) ungate(connection);
    for (const packet of packets) this.#attempt(() => sendPacket(connection, this.#context.codec, packet));
    this.#isParting = false;
    gate(connection);
  }

  #closeWhenSent(connection: EngineConnection): void {
    if (connection.writeBuffer.length === 0) {
      this.#close(connection);
      return;
    }
    connection.once("drain", () => this.#close(connection));
    this.#closeAfter(connection, farewellMs);
  }

  #closeAfter(connection: EngineConnection, ms: number): void {
    const cancel = this.#context.hub.clock.after(ms, () => this.#close(connection));
    connection.once("close", cancel);
  }

  #close(connection: EngineConnection): void {
    this.#attempt(() => void connection.close(true));
  }

  /**
   * Runs one step of an end. If the application's parser, adapter or listeners fail in it, the next step runs all the
   * same.
   */
  #attempt(step: () => void): void {
    isolate(step, this.report, "A parser, adapter or listener of the application, at the end of a session,");
  }
}
