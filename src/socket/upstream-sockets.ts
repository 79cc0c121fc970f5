/** The part of `upstream.ts` that follows the creation of sockets, and binds the recovery of earlier ones to sessions. */
import type { Server, Socket } from "socket.io";
import type { SessionPids } from "./recovery.ts";
import { type Auth, type EngineConnection, internalsOf, type Namespace, onNamespace } from "./upstream.ts";

export interface SocketHooks {
  /** The payload that Socket.IO may have of a client that asks for a namespace; undefined if the client was refused. */
  enter(
    connection: EngineConnection,
    namespace: string,
    auth: Auth,
  ): Auth | undefined | Promise<Auth | undefined>;
  /** Called with each socket of every namespace, static or dynamic, present or future, before its middleware. */
  born(socket: Socket, connection: EngineConnection): void;
  /**
   * The pids of the session that `connection` has proven. If undefined, none of its sockets is or can be recovered. If
   * the session may not be served, the call has closed the connection.
   */
  pids(connection: EngineConnection): SessionPids | undefined;
  report(error: unknown): void;
}

/** Follows the sockets of `io`. Where connection state recovery is on, only a session's own sockets can be recovered. */
export function onSocket(io: Server, { enter, born, pids, report }: SocketHooks): void {
  const recoveries = internalsOf(io).opts.connectionStateRecovery ? new Recoveries(pids) : undefined;
  onNamespace(io, (namespace) => {
    const create = namespace._createSocket;
    let entering = 0;
    namespace._createSocket = async (client, given) => {
      const { conn } = client;
      entering++;
      try {
        // null if the application's parser lets it through, at which Socket.IO would reject
        const auth = await enter(conn, namespace.name, given ?? {});
        if (!auth) {
          process.nextTick(() => entering === 0 && removeIfEmpty(namespace));
          return new Promise(() => {}); // Socket.IO waits for no socket, and keeps nothing of this
        }
        const pid = recoveries?.claim(conn, namespace.name, auth);
        const createNew = () => create.call(namespace, client, recoveries ? withoutRecovery(auth) : auth);
        const recover = () =>
          create.call(namespace, client, auth).catch((error) => {
            report(error); // as of a missed packet that can't be encoded; Socket.IO does not catch it
            return createNew();
          });
        const socket = await (pid === undefined ? createNew() : recover());
        born(socket, conn);
        recoveries?.settle(socket, conn, pid);
        return socket;
      } finally {
        entering--;
      }
    };
  });
}

/** Does what Socket.IO does when a socket leaves: with `cleanupEmptyChildNamespaces`, a dynamic namespace goes with its last. */
function removeIfEmpty(namespace: Namespace): void {
  if (namespace._preConnectSockets.size === 0) namespace._remove({ id: "" });
}

/**
 * The sockets of one server that clients recover.
 *
 * The check comes before Socket.IO sees the pid: it writes what the client has missed as soon as the adapter has found it,
 * before any middleware. An end of the session in between silences the connection, and with it these writes.
 */
class Recoveries {
  readonly #pids: SocketHooks["pids"];
  /**
   * Pids that are being recovered, and those of recovered sockets that have not left. The in-memory adapter keeps what it
   * has restored: the same pid would make another socket of the same id, and either would take the rooms of the other along.
   */
  readonly #inUse = new Set<string>();

  constructor(pids: SocketHooks["pids"]) {
    this.#pids = pids;
  }

  /** The pid that Socket.IO may recover a socket by; undefined if the socket has to be new. */
  claim(connection: EngineConnection, namespace: string, { pid }: Auth): string | undefined {
    if (typeof pid !== "string" || this.#inUse.has(pid)) return undefined;
    if (!this.#pids(connection)?.owns(namespace, pid)) return undefined;
    this.#inUse.add(pid);
    return pid;
  }

  /** Binds a new socket to its session, and keeps `claimed` in use until a recovered one has left. */
  settle(socket: Socket, connection: EngineConnection, claimed: string | undefined): void {
    const pids = this.#pids(connection); // also for a recovered one, which may be about to join without middleware
    const free = () => {
      if (claimed !== undefined) this.#inUse.delete(claimed);
    };
    if (socket.recovered) {
      onceLeft(socket, free);
      return;
    }
    free();
    const random: unknown = Reflect.get(socket, "pid");
    if (pids) Reflect.set(socket, "pid", pids.bind(socket.nsp.name, String(random)));
  }
}

function withoutRecovery({ pid: _pid, offset: _offset, ...auth }: Auth): Auth {
  return auth;
}

/** Calls `left` when Socket.IO has cleaned up after `socket`, connected or not. */
function onceLeft(socket: Socket, left: () => void): void {
  const cleanup: (this: Socket) => void = socket._cleanup;
  socket._cleanup = () => {
    cleanup.call(socket);
    left();
  };
}
