/** The part of `upstream.ts` that stops, discards and guards what passes through a connection and its sockets. */
import type { Socket } from "socket.io";
import { guardedHandlers, type HandlerGuard } from "./guarded-handlers.ts";
import type { Followed, SocketRules } from "./socket-rules.ts";
import { type EngineConnection, type Packet, packetTypes } from "./upstream.ts";

/** What a connection and its sockets consult. */
export interface TrafficGuard extends HandlerGuard {
  /** Called before any listener gets the client's event or acknowledgement. A disconnect always passes. */
  mayTake(packet: Packet): boolean;
  /** Called before anything is sent: emits, broadcasts and acknowledgements all pass. */
  mayWrite(): boolean;
  readonly rules: SocketRules;
  /** What rules follow: undefined for a guest without a session. */
  readonly followed: Followed | undefined;
  /** The socket is gone, even if it never connected. */
  left(socket: Socket): void;
}

/**
 * Stops all traffic of a connection in both directions. Polls are still answered; sockets in middleware are dropped.
 * False if it was not open.
 */
export function gate(connection: EngineConnection): boolean {
  if (connection.readyState !== "open") return false;
  connection.readyState = "closing";
  // When an upgrade ends, Engine.IO closes a connection that is closing. The guards let nothing pass in that moment.
  connection.once("upgrade", () => {
    ungate(connection);
    process.nextTick(() => gate(connection));
  });
  return true;
}

/** Undoes `gate`, unless the connection has closed. */
export function ungate(connection: EngineConnection): void {
  if (connection.readyState === "closing") connection.readyState = "open";
}

/**
 * Discards the messages that wait for the client's next poll or for the end of an upgrade, except those that `isKept`.
 */
export function discardWaiting(
  { writeBuffer }: EngineConnection,
  isKept: (message: unknown) => boolean = () => false,
): void {
  const kept = writeBuffer.filter(({ type, data }) => type === "message" && isKept(data));
  writeBuffer.splice(0, writeBuffer.length, ...kept);
}

const guardKey = Symbol("socket-session");

type Guarded<T> = T & { [guardKey]: TrafficGuard };

interface SocketInternals {
  _onpacket(packet: Packet): void;
  _cleanup(): void;
  packet(packet: Packet, options?: unknown): void;
}

/** Undefined before the socket is guarded. */
export function guardOf(socket: Socket): TrafficGuard | undefined {
  return Reflect.get(socket, guardKey);
}

/** Puts `guard` before a socket. */
export function guardSocket(socket: Socket, guard: TrafficGuard): void {
  Object.defineProperty(socket, guardKey, { value: guard });
  Object.setPrototypeOf(socket, guardedPrototype(Object.getPrototypeOf(socket)));
}

const prototypes = new WeakMap<Socket, object>();

/**
 * An object between a socket and its prototype, made once for each prototype: closures on each socket would take several times
 * the memory. Its methods look up the inherited ones at each call, as instrumentation may replace these at any time.
 */
function guardedPrototype(inherited: Socket): object {
  const known = prototypes.get(inherited);
  if (known) return known;
  const internals = inherited as unknown as SocketInternals;
  const methods = {
    ...guardedHandlers(inherited, (one) => (one as Guarded<Socket>)[guardKey]),
    _onpacket(this: Guarded<Socket>, packet: Packet) {
      const { rules } = this[guardKey];
      const mayTake = () => !rules.refusalOf(this) && this[guardKey].mayTake(packet);
      if (packet.type === packetTypes.DISCONNECT || mayTake())
        Reflect.apply(internals._onpacket, this, [packet]);
    },
    // Emits, acknowledgements and the answer to its CONNECT pass here; broadcasts do not.
    packet(this: Guarded<Socket>, packet: Packet, options?: unknown) {
      const isOut = packet.type !== packetTypes.CONNECT_ERROR && this[guardKey].rules.refusalOf(this);
      if (!isOut) Reflect.apply(internals.packet, this, [packet, options]);
    },
    _cleanup(this: Guarded<Socket>) {
      Reflect.apply(internals._cleanup, this, []);
      this[guardKey].rules.left(this);
      this[guardKey].left(this);
    },
  };
  const between: object = Object.assign(Object.create(inherited), methods);
  prototypes.set(inherited, between);
  return between;
}

/** Puts `guard` before what is sent on a connection, and before the application's wrapper of its `write`, if there is one already. */
export function guardWrites(connection: EngineConnection, guard: TrafficGuard): void {
  const prototype: EngineConnection = Object.getPrototypeOf(connection);
  const { write } = connection;
  Object.defineProperty(connection, guardKey, { value: guard });
  connection.write = Object.hasOwn(connection, "write") ? guardedWrite({ write }) : sharedWrite(prototype);
}

const writes = new WeakMap<EngineConnection, EngineConnection["write"]>();

/** One for all connections of a prototype. */
function sharedWrite(prototype: EngineConnection): EngineConnection["write"] {
  const write = writes.get(prototype) ?? guardedWrite(prototype);
  writes.set(prototype, write);
  return write;
}

/** Looks up the method at each call, as instrumentation may replace the prototype's at any time. */
function guardedWrite(inner: Pick<EngineConnection, "write">): EngineConnection["write"] {
  return function (this: Guarded<EngineConnection>, ...args: Parameters<EngineConnection["write"]>) {
    return this[guardKey].mayWrite() ? inner.write.apply(this, args) : this;
  };
}

/** Passes on only the client's messages for which `passes` returns true, until the returned function is called. */
export function interceptMessages(
  connection: EngineConnection,
  passes: (message: unknown) => boolean,
): () => void {
  const { emit } = connection;
  const intercepting: typeof emit = (event, ...args) =>
    (event === "data" && !passes(args[0])) || emit.call(connection, event, ...args);
  connection.emit = intercepting;
  return () => {
    if (connection.emit === intercepting) connection.emit = emit; // else the application has wrapped it
  };
}
