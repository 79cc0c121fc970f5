/**
 * Every place where this package relies on more than the public API of Socket.IO 4.8 and Engine.IO 6.6.12+, and what
 * it relies on. `test/socket/upstream.test.ts` fails when an upgrade changes one of them. Those with * are in `upstream-pages.ts`.
 *
 * | what | why nothing public serves |
 * |---|---|
 * | `namespace._createSocket` | the only moment before middleware and recovery where a socket can get its session |
 * | `namespace.emitReserved`, `namespace.run` | `connection` handlers and middleware that throw would end the process |
 * | `socket._onpacket` | where all that a client sends to a socket passes, also to `onAny` and acknowledgements |
 * | `socket._cleanup` | the only sign that a socket is gone that also comes when it never connected; `connected` still says whether it did |
 * | `io.opts` | whether recovery is on; its `cors`*, to name an origin that only this lists |
 * | `io._nsps` | namespaces made before `attach`, and the sockets in them |
 * | `io._parser`, `io.encoder` | a refusal must speak the application's parser |
 * | `conn.server` | the engine of a connection: Socket.IO has one for each http server, and shows the last alone |
 * | `conn.readyState = "closing"` | stops all traffic both ways, and sockets still in middleware, while polls go on |
 * | `conn.writeBuffer` | what still waits for the client's next poll: a farewell to be fetched, or what must not be |
 * | `conn.write` | where all that is sent passes: emits, broadcasts, acknowledgements |
 * | `Socket.prototype` | `never-attached.ts`: what `socket.session` says while nothing is attached |
 * | `engine._applyMiddlewares`, `request.res`* | what the application's `cors` puts on answers, for those that Engine.IO does not give |
 * | `request._query` | read by Engine.IO if present, so both read the same `sid` |
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Server, Socket } from "socket.io";
import { SocketSessionError } from "../base/errors.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { guarded, shown, shownNamespace } from "./guarded-handlers.ts";

/** An Engine.IO connection: what carries all Socket.IO namespaces of one client. */
export interface EngineConnection {
  readonly id: string;
  readonly protocol: number;
  /** The handshake's request; null for WebTransport. */
  readonly request: IncomingMessage | null;
  readonly server: Engine;
  readyState: "opening" | "open" | "closing" | "closed";
  readonly writeBuffer: { readonly type: string; readonly data?: unknown }[];
  write(packet: unknown, options?: unknown): unknown;
  close(discard?: boolean): unknown;
  emit(event: string, ...args: unknown[]): boolean;
  on(event: "data", listener: (data: unknown) => void): unknown;
  once(event: "close" | "drain", listener: () => void): unknown;
}

export type EngineRequest = IncomingMessage & { _query?: Record<string, string>; res?: ServerResponse };

export interface Engine {
  readonly clientsCount: number;
  handleRequest(request: EngineRequest, response: ServerResponse): void;
  handleUpgrade(request: EngineRequest, socket: Duplex, head: Buffer): void;
  onWebTransportSession(session: { close(): void }): Promise<void>;
  emit(event: string, ...args: unknown[]): boolean;
}

export interface Packet {
  readonly type: number;
  readonly nsp: string;
  readonly data?: unknown;
}

/** Of the Socket.IO protocol, revision 5. */
export const packetTypes = { CONNECT: 0, DISCONNECT: 1, EVENT: 2, CONNECT_ERROR: 4 } as const;

interface Decoder {
  add(data: unknown): void;
  destroy(): void;
  on(event: "decoded", listener: (packet: Packet) => void): unknown;
}

export interface Codec {
  encode(packet: Packet): unknown[];
  decoder(): Decoder;
}

interface Client {
  readonly conn: EngineConnection;
}

interface Namespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, Socket>;
  rawListeners(event: string): ((...args: unknown[]) => unknown)[];
  emitReserved(event: string, ...args: unknown[]): boolean;
  run(socket: Socket, done: (error?: Error) => void): void;
  _createSocket(client: Client, auth: Record<string, unknown> | null | undefined): Promise<Socket>;
}

interface ServerInternals {
  readonly opts: { readonly connectionStateRecovery?: unknown };
  readonly engine?: Engine;
  readonly encoder: { encode(packet: Packet): unknown[] };
  readonly _parser: { Decoder: new () => Decoder };
  readonly _nsps: ReadonlyMap<string, Namespace>;
  bind(engine: Engine): Server;
}

function internalsOf(io: Server): ServerInternals {
  return io as unknown as ServerInternals;
}

/** The application's packet encoding (its own `parser` option included). */
export function codecOf(io: Server): Codec {
  const { encoder, _parser } = internalsOf(io);
  return { encode: (packet) => encoder.encode(packet), decoder: () => new _parser.Decoder() };
}

/**
 * The packets that a message holds by itself: one, with Socket.IO's own parser. None if it is an attachment, or needs one, or is
 * not of this protocol.
 */
export function packetsOf(codec: Codec, message: unknown): Packet[] {
  const packets: Packet[] = [];
  const decoder = codec.decoder();
  decoder.on("decoded", (packet) => packets.push(packet));
  try {
    decoder.add(message);
  } catch {
    // whoever takes it will see
  }
  decoder.destroy();
  return packets;
}

/** Calls `use` with the Engine.IO server before Socket.IO hears of its connections: now, or when there is one. */
export function onEngine(io: Server, use: (engine: Engine) => void): void {
  const internals = internalsOf(io);
  if (internals.engine) use(internals.engine);
  const bind = internals.bind;
  internals.bind = (engine) => {
    use(engine);
    return bind.call(io, engine);
  };
}

/** Whether clients are connected: to the last engine, or in a namespace by any. */
export function hasClients(io: Server): boolean {
  const { engine, _nsps } = internalsOf(io);
  return (engine?.clientsCount ?? 0) > 0 || [..._nsps.values()].some(({ sockets }) => sockets.size > 0);
}

/** Throws if Engine.IO's server is not of the kind whose requests can be watched. */
export function assertEngine(engine: Engine): void {
  const known = typeof engine.handleRequest === "function" && typeof engine.handleUpgrade === "function";
  if (known && engine.constructor.name !== "uServer") return;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    "sessions.attach(io) needs Engine.IO's server for node:http (engine.io 6.6.12 or later); this one is another (µWebSockets?). Attach Socket.IO to a node:http or node:https server.",
  );
}

/**
 * Calls `born` with each new socket of every namespace, static or dynamic, present or future, before its middleware;
 * and `gone` once it is gone, whether it ever connected or not. Connection state recovery sees no `pid`, so every
 * socket is new: nothing is restored or replayed.
 */
export function onSocket(
  io: Server,
  born: (socket: Socket, connection: EngineConnection) => void,
  gone: (socket: Socket, connection: EngineConnection) => void,
): void {
  const recovers = Boolean(internalsOf(io).opts.connectionStateRecovery);
  onNamespace(io, (namespace) => {
    const create = namespace._createSocket;
    namespace._createSocket = async (client, given) => {
      const auth = given ?? {}; // null where the application's parser lets it through: Socket.IO would reject
      const socket = await create.call(namespace, client, recovers ? withoutRecovery(auth) : auth);
      const cleanup = socket._cleanup;
      socket._cleanup = () => {
        cleanup.call(socket);
        gone(socket, client.conn);
      };
      born(socket, client.conn);
      return socket;
    };
  });
}

function withoutRecovery({
  pid: _pid,
  offset: _offset,
  ...auth
}: Record<string, unknown>): Record<string, unknown> {
  return auth;
}

/**
 * Keeps what `connection` handlers and middleware throw, or reject with, from ending the process. A socket whose
 * middleware failed is refused, without a word of the reason. `mayJoin` is asked before each middleware runs and after
 * the last; one that says no has gated or closed the socket's connection.
 */
export function guardNamespaces(
  io: Server,
  report: (error: unknown) => void,
  mayJoin: (socket: Socket) => boolean,
): void {
  onNamespace(io, (namespace) => {
    const { emitReserved, run } = namespace;
    const place = `in ${shownNamespace(namespace.name)}`;
    namespace.emitReserved = (event, ...args) => {
      if (event !== "connection" && event !== "connect") return emitReserved.call(namespace, event, ...args);
      const listeners = namespace.rawListeners(event);
      for (const listener of listeners) {
        guarded(() => `A handler of ${shown(event)} ${place}`, report, listener, namespace)(...args);
      }
      return listeners.length > 0;
    };
    namespace.run = (socket, done) => {
      let isDone = false;
      const finish = (error?: Error) => {
        if (isDone) return;
        isDone = true;
        mayJoin(socket); // else its connection is gated now, and Socket.IO drops the socket
        done(error);
      };
      const refuse = (error: unknown) => {
        report(error);
        finish(new Error("internal error"));
      };
      // it runs what `_fns` holds at this moment, and looks at nothing else
      const middleware = (Reflect.get(namespace, "_fns") as Middleware[]).map(
        (fn): Middleware =>
          (one, next) => {
            if (mayJoin(one)) isolate(() => fn(one, next), refuse, `A middleware ${place}`);
            else finish();
          },
      );
      run.call({ _fns: middleware } as unknown as Namespace, socket, finish);
    };
  });
}

type Middleware = (socket: Socket, next: (error?: Error) => void) => unknown;

/** Calls `use` with every namespace that sockets can be in: static or dynamic, present or future. */
function onNamespace(io: Server, use: (namespace: Namespace) => void): void {
  for (const namespace of internalsOf(io)._nsps.values()) use(namespace);
  io.on("new_namespace", (namespace) => use(namespace as unknown as Namespace));
}

/** Stops all traffic of a connection in both directions; polls are still answered, sockets in middleware dropped. */
export function gate(connection: EngineConnection): void {
  if (connection.readyState === "open") connection.readyState = "closing";
}

/**
 * What was sent and waits for the client's next poll, or for the end of an upgrade, is not delivered any more, but for the
 * messages that `isKept`.
 */
export function discardWaiting(
  { writeBuffer }: EngineConnection,
  isKept: (message: unknown) => boolean = () => false,
): void {
  const kept = writeBuffer.filter(({ type, data }) => type === "message" && isKept(data));
  writeBuffer.splice(0, writeBuffer.length, ...kept);
}

/** Asks `mayTake` before an event or acknowledgement of the client reaches anybody. A disconnect always does. */
export function guardPackets(socket: Socket, mayTake: () => boolean): void {
  const inner = socket as unknown as { _onpacket(packet: Packet): void };
  const { _onpacket } = inner;
  inner._onpacket = (packet) => {
    if (packet.type === packetTypes.DISCONNECT || mayTake()) _onpacket.call(socket, packet);
  };
}

/** Asks `mayWrite` before anything is sent: emits, broadcasts and acknowledgements all pass `write`. */
export function guardWrites(connection: EngineConnection, mayWrite: () => boolean): void {
  const { write } = connection;
  connection.write = (...args) => (mayWrite() ? write.apply(connection, args) : connection);
}

/** Reads the query as Engine.IO does, and makes Engine.IO use this very reading; undefined if it can't be read. */
export function queryOf(request: EngineRequest): Record<string, string> | undefined {
  if (request._query) return request._query;
  const base = "https://socket.io";
  if (!URL.canParse(request.url ?? "", base)) return undefined;
  request._query = Object.fromEntries(new URL(request.url ?? "", base).searchParams);
  return request._query;
}

/** Has Engine.IO answer a request without the connection that it names: by its middleware, such as `cors`, or by an error. */
export function withoutConnection(request: EngineRequest): void {
  const { sid: _sid, ...query } = queryOf(request) ?? {};
  request._query = query;
}
