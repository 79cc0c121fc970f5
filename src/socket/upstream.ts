/**
 * Every use of more than the public API of Socket.IO 4.8 and Engine.IO 6.6.12+. `test/socket/upstream.test.ts` fails
 * when an upgrade changes one of them. Those marked * are in `upstream-pages.ts`, + in `upstream-traffic.ts`, ° in
 * `upstream-sockets.ts`, ^ in `upstream-cookies.ts`, ~ in `upstream-connections.ts`, ' in `upstream-rules.ts`, " in `unsent.ts`.
 *
 * | what | why the public API is not enough |
 * |---|---|
 * | `namespace._createSocket`° | the only moment before middleware and recovery where a socket can get its session |
 * | `namespace._remove`, `namespace._preConnectSockets`° | a dynamic namespace that a client was refused may be left empty |
 * | `auth.pid`, `auth.offset`° | what a client recovers a socket by: without them the socket is new |
 * | `socket.pid`° | sent to the client, and the name under which the adapter keeps the socket's state when it is gone |
 * | `namespace.emitReserved`, `namespace.run` | `connection` handlers and middleware that throw would end the process, and a page is told the state of its session before them |
 * | `socket._onpacket`+ | everything that a client sends to a socket passes here, also to `onAny` and acknowledgements |
 * | `socket._cleanup`+° | the only sign that a socket is gone, even if it never connected; `connected` is still set if it did |
 * | `socket.packet`+ | emits and acknowledgements of a socket that a rule has taken out of its namespace must not leave |
 * | `namespace._doConnect`°, `socket._error`° | the last moment to refuse a socket, after all middleware or without |
 * | `client.ondecoded`, `.decoder`, `.nsps`' | a late packet to a namespace that the socket was taken out of would close the connection |
 * | `adapter.restoreSession`°, `.persistSession`' | what a client has missed, and the rooms it was in, may be a rule's |
 * | `io._checkNamespace` | functions for dynamic namespaces must not see a ticket |
 * | `io.opts` | whether recovery is on°; its `cors`*, to warn of an origin that only `cors` lists |
 * | `io._nsps` | the namespaces made before `attach`, and the sockets in them |
 * | `io._parser`, `io.encoder` | a refusal must use the application's parser |
 * | `conn.server` | the engine of a connection: Socket.IO has one for each http server, and exposes only the last |
 * | `conn.readyState = "closing"`+ | stops all traffic both ways, and sockets still in middleware, while polls go on |
 * | `conn.writeBuffer`+ | messages that wait for the client's next poll: a farewell, or some that must not be sent |
 * | `conn.transport.writable`, `.readyState`, `.socket`, its `ready` and `close`" | what a slow client has not been sent when its transport counts as closed |
 * | `conn.write`+ | everything that is sent passes here: emits, broadcasts, acknowledgements |
 * | `conn.sendPacket("ping")` | whether a client is still there has to be known sooner than by Engine.IO's own heartbeat |
 * | `Socket.prototype` | `never-attached.ts`: `socket.session` explains a missing `attach` |
 * | `engine._applyMiddlewares`, `request.res`* | the headers of the application's `cors`, on answers that Engine.IO does not send |
 * | the name of Socket.IO's listener of the engine's `connection`~ | a connection is kept from Socket.IO only |
 * | how `headers` are written for a WebSocket^ | as `name: value`, so an array of cookies would become one line |
 * | `request._query` | read by Engine.IO if present, so both read the same `sid` |
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import type { Server, Socket } from "socket.io";
import { SocketSessionError } from "../base/errors.ts";
import { isolate } from "../base/isolated-emitter.ts";
import { shown, shownNamespace } from "./guarded-handlers.ts";

interface Transport {
  readonly name: string;
  readonly readyState: string;
  /** Of a WebSocket: whether all that was to be sent has left this process. */
  readonly writable: boolean;
  /** That of `ws`, for a WebSocket. */
  readonly socket?: { terminate(): void };
  once(event: "ready" | "close", listener: () => void): unknown;
  removeListener(event: "ready" | "close", listener: () => void): unknown;
}

/** An Engine.IO connection, which carries all Socket.IO namespaces of one client. */
export interface EngineConnection {
  readonly id: string;
  readonly protocol: number;
  /** The handshake's request; null for WebTransport. */
  readonly request: IncomingMessage | null;
  readonly server: Engine;
  readonly transport: Transport;
  readyState: "opening" | "open" | "closing" | "closed";
  /** Whether the client is about to change its transport, and may no longer poll. */
  readonly upgrading?: boolean;
  readonly writeBuffer: { readonly type: string; readonly data?: unknown }[];
  write(packet: unknown, options?: unknown): unknown;
  close(discard?: boolean): unknown;
  sendPacket(type: "ping"): unknown;
  emit(event: string, ...args: unknown[]): boolean;
  on(event: "data" | "close", listener: (data: unknown) => void): unknown;
  once(event: "close" | "drain" | "upgrade" | "heartbeat", listener: () => void): unknown;
}

export type EngineRequest = IncomingMessage & { _query?: Record<string, string>; res?: ServerResponse };

export interface Engine {
  readonly clientsCount: number;
  handleRequest(request: EngineRequest, response: ServerResponse): void;
  handleUpgrade(request: EngineRequest, socket: Duplex, head: Buffer): void;
  onWebTransportSession(session: { close(): void }): Promise<void>;
  emit(event: string, ...args: unknown[]): boolean;
  rawListeners(event: string): unknown[];
}

export interface Packet {
  readonly type: number;
  readonly nsp: string;
  readonly data?: unknown;
}

/** Of the Socket.IO protocol, revision 5. */
export const packetTypes = {
  CONNECT: 0,
  DISCONNECT: 1,
  EVENT: 2,
  CONNECT_ERROR: 4,
  BINARY_EVENT: 5,
} as const;

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

export interface Namespace {
  readonly name: string;
  readonly sockets: ReadonlyMap<string, Socket>;
  readonly _preConnectSockets: ReadonlyMap<string, Socket>;
  _remove(socket: { readonly id: string }): void;
  rawListeners(event: string): ((...args: unknown[]) => unknown)[];
  emitReserved(event: string, ...args: unknown[]): boolean;
  run(socket: Socket, done: (error?: Error) => void): void;
  _createSocket(client: Client, auth: Auth | null | undefined): Promise<Socket>;
  _doConnect(socket: Socket, done: unknown): void;
}

/** The payload of a client's `CONNECT`. */
export type Auth = Record<string, unknown>;

interface ServerInternals {
  readonly opts: { readonly connectionStateRecovery?: unknown };
  readonly engine?: Engine;
  readonly encoder: { encode(packet: Packet): unknown[] };
  readonly _parser: { Decoder: new () => Decoder };
  readonly _nsps: ReadonlyMap<string, Namespace>;
  bind(engine: Engine): Server;
  _checkNamespace(name: string, auth: Auth | null | undefined, found: (namespace: unknown) => void): void;
}

export function internalsOf(io: Server): ServerInternals {
  return io as unknown as ServerInternals;
}

/** The application's packet encoding, its own `parser` option included. */
export function codecOf(io: Server): Codec {
  const { encoder, _parser } = internalsOf(io);
  return { encode: (packet) => encoder.encode(packet), decoder: () => new _parser.Decoder() };
}

/**
 * The complete packets in a message: one, with Socket.IO's own parser. None if the message is an attachment, needs one,
 * or is not of this protocol.
 */
export function packetsOf(codec: Codec, message: unknown): Packet[] {
  const packets: Packet[] = [];
  const decoder = codec.decoder();
  decoder.on("decoded", (packet) => {
    if (packet) packets.push(packet); // an application's own parser may check nothing
  });
  try {
    decoder.add(message);
  } catch {
    // Socket.IO will find the same fault.
  }
  decoder.destroy();
  return packets;
}

/** Whether clients are connected: to the last engine, or in a namespace by any engine. */
export function hasClients(io: Server): boolean {
  const { engine, _nsps } = internalsOf(io);
  return (engine?.clientsCount ?? 0) > 0 || [..._nsps.values()].some(({ sockets }) => sockets.size > 0);
}

/** Throws if Engine.IO's server is of a kind whose requests can't be watched. */
export function assertEngine(engine: Engine): void {
  const known = typeof engine.handleRequest === "function" && typeof engine.handleUpgrade === "function";
  if (known && engine.constructor.name !== "uServer") return;
  throw new SocketSessionError(
    "UNSUPPORTED_UPSTREAM",
    "sessions.attach(io) needs Engine.IO's server for node:http (engine.io 6.6.12 or later); this one is another (µWebSockets?). Attach Socket.IO to a node:http or node:https server.",
  );
}

/** Calls `shown` for the payload that an application's function sees as it decides whether a namespace exists. */
export function onNewNamespace(io: Server, shown: (namespace: string, auth: Auth) => Auth): void {
  const internals = internalsOf(io);
  const check = internals._checkNamespace;
  internals._checkNamespace = (name, auth, found) => check.call(io, name, auth && shown(name, auth), found);
}

/**
 * Keeps errors of `connection` handlers and middleware from ending the process. If a middleware fails, the socket is
 * refused without the reason. `mayJoin` is called before each middleware and after the last; if it returns false, it
 * has gated or closed the socket's connection. `connected` is called before all handlers.
 */
export function guardNamespaces(
  io: Server,
  report: (error: unknown) => void,
  mayJoin: (socket: Socket) => boolean,
  connected: (socket: Socket, connection: EngineConnection) => void,
): void {
  onNamespace(io, (namespace) => {
    const { emitReserved, run } = namespace;
    const place = `in ${shownNamespace(namespace.name)}`;
    namespace.emitReserved = (event, ...args) => {
      if (event !== "connection" && event !== "connect") return emitReserved.call(namespace, event, ...args);
      const socket = args[0] as Socket & Client;
      if (event === "connect") connected(socket, socket.conn); // the first of the two
      const listeners = namespace.rawListeners(event);
      for (const listener of listeners) {
        isolate(
          () => listener.apply(namespace, args),
          report,
          () => `A handler of ${shown(event)} ${place}`,
        );
      }
      return listeners.length > 0;
    };
    namespace.run = (socket, done) => {
      let isDone = false;
      const finish = (error?: Error) => {
        if (isDone) return;
        isDone = true;
        mayJoin(socket); // if false, the connection is gated now, and Socket.IO drops the socket
        done(error);
      };
      const refuse = (error: unknown) => {
        report(error);
        finish(new Error("internal error"));
      };
      // it runs the current `_fns`, and reads nothing else
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

/** Calls `use` with every namespace that has sockets: static or dynamic, present or future. */
export function onNamespace(io: Server, use: (namespace: Namespace) => void): void {
  for (const namespace of internalsOf(io)._nsps.values()) use(namespace);
  io.on("new_namespace", (namespace) => use(namespace as unknown as Namespace));
}

/** Reads the query as Engine.IO does, and makes Engine.IO use the same object; undefined if it can't be read. */
export function queryOf(request: EngineRequest): Record<string, string> | undefined {
  if (request._query) return request._query;
  const url = URL.parse(request.url ?? "", "https://socket.io");
  if (url) request._query = Object.fromEntries(url.searchParams);
  return request._query;
}

/**
 * Makes Engine.IO answer without the connection that the request names: by a middleware such as `cors`, or by an error.
 */
export function withoutConnection(request: EngineRequest): void {
  const { sid: _sid, ...query } = queryOf(request) ?? {};
  request._query = query;
}
