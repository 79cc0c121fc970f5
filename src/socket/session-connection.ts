import type { Socket } from "socket.io";
import type { End, LiveEntry, Observer } from "../live/live-entry.ts";
import type { Activity } from "../session/activity.ts";
import { GuestHandle, SessionHandle } from "../session/session-handle.ts";
import type { SessionKey } from "../session-store.ts";
import { closeTransport, Farewell, type FarewellContext } from "./farewell.ts";
import type { SessionPids } from "./recovery.ts";
import type { Holder, SocketLimit } from "./socket-limit.ts";
import type { Followed, SocketRules } from "./socket-rules.ts";
import type { UnprovenConnection } from "./unproven-connection.ts";
import { cutUnsent, whenSent } from "./unsent.ts";
import { type EngineConnection, type Packet, packetTypes } from "./upstream.ts";
import { guardSocket, guardWrites, type TrafficGuard } from "./upstream-traffic.ts";

export interface ConnectionContext extends FarewellContext {
  readonly activity: Activity;
  readonly rules: SocketRules;
  readonly limit: SocketLimit;
  readonly pidsOf: (sid: string) => SessionPids;
  /** Namespaces with an authentication of their own. */
  readonly isExempt: (namespace: string) => boolean;
}

interface Member {
  readonly socket: Socket;
  readonly handle: SessionHandle | GuestHandle;
}

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
  #farewell: Farewell | undefined;
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
    const [entry, connection] = [this.#entry, this.#connection];
    return entry && connection && { entry, connection, codec: this.#context.codec, holder: this };
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
    return this.#farewell?.isSending || this.isServable;
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
    this.#members = this.#members.concat({ socket, handle }); // a spread would make room for sixteen more
    Object.defineProperty(socket, "session", { value: handle, enumerable: false });
    guardSocket(socket, this);
    if (this.mayUse(socket.nsp.name)) this.#unproven?.joined(socket);
  }

  has(socket: Socket): boolean {
    return this.#memberOf(socket) !== undefined;
  }

  left(socket: Socket): void {
    const own = this.#memberOf(socket);
    own?.handle.release();
    this.#members = this.#members.filter((member) => member !== own);
    const { limit, isExempt } = this.#context;
    if (own && this.#entry && !isExempt(socket.nsp.name)) limit.giveBack(this.#entry, this, 1);
    this.#unproven?.left(socket);
    if (this.#entry) this.#context.states?.left(socket, this.#entry);
  }

  #memberOf(socket: Socket): Member | undefined {
    return this.#members.find((member) => member.socket === socket);
  }

  /** Ends the transport, so that a stock client connects again. */
  close(): void {
    if (this.#connection) closeTransport(this.#connection, this.report);
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
  ended(end: End): void {
    const connection = this.#connection;
    if (!connection) return;
    if (this.#released) {
      cutUnsent(connection);
      return;
    }
    const { isExempt } = this.#context;
    const sockets = this.#members.map(({ socket }) => socket);
    this.#farewell = new Farewell(this.#context, connection);
    this.#farewell.begin(end, () => sockets.filter(({ connected, nsp }) => connected && !isExempt(nsp.name)));
  }
}
