/** The part of `upstream.ts` that follows the creation of sockets, and binds the recovery of earlier ones to sessions. */
import type { Server, Socket, Namespace as SocketNamespace } from "socket.io";
import type { SessionPids } from "./recovery.ts";
import { type Auth, type EngineConnection, internalsOf, type Namespace, onNamespace } from "./upstream.ts";
import { guardOf } from "./upstream-traffic.ts";

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
  /** Whether the session satisfies the rules among a namespace's middleware, which a recovered socket may skip. */
  mayRecover(connection: EngineConnection, namespace: SocketNamespace): boolean;
}

/** Follows the sockets of `io`. Where connection state recovery is on, only a session's own sockets can be recovered. */
export function onSocket(io: Server, hooks: SocketHooks): void {
  const { enter, born, report } = hooks;
  const recoveries = internalsOf(io).opts.connectionStateRecovery ? new Recoveries(hooks) : undefined;
  onNamespace(io, (namespace) => {
    refuseLate(namespace);
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
        const pid = recoveries?.claim(conn, namespace, auth);
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

interface Restoring {
  readonly adapter: {
    restoreSession(pid: string, offset: string): Promise<{ missedPackets: unknown[] } | null | undefined>;
  };
}

/**
 * The sockets of one server that clients recover.
 *
 * The check comes before Socket.IO sees the pid: it writes what the client has missed as soon as the adapter has found it,
 * before any middleware. An end of the session in between silences the connection, and with it these writes.
 */
class Recoveries {
  readonly #hooks: Pick<SocketHooks, "pids" | "mayRecover">;
  /**
   * Pids that are being recovered, and those of recovered sockets that have not left. The in-memory adapter keeps what it
   * has restored: the same pid would make another socket of the same id, and either would take the rooms of the other along.
   */
  readonly #inUse = new Map<string, () => boolean>();
  readonly #watched = new WeakSet<object>();

  constructor(hooks: Pick<SocketHooks, "pids" | "mayRecover">) {
    this.#hooks = hooks;
  }

  /** The pid that Socket.IO may recover a socket by; undefined if the socket has to be new. */
  claim(connection: EngineConnection, namespace: Namespace, { pid }: Auth): string | undefined {
    if (typeof pid !== "string" || this.#inUse.has(pid)) return undefined;
    if (!this.#hooks.pids(connection)?.owns(namespace.name, pid)) return undefined;
    const mayRecover = () => this.#hooks.mayRecover(connection, namespace as unknown as SocketNamespace);
    this.#inUse.set(pid, mayRecover);
    this.#watch((namespace as unknown as Restoring).adapter);
    return pid;
  }

  /** What a client has missed is read as Socket.IO makes the socket and writes it: rules are asked at that moment. */
  #watch(adapter: Restoring["adapter"]): void {
    if (this.#watched.has(adapter)) return;
    this.#watched.add(adapter);
    const restore = adapter.restoreSession;
    adapter.restoreSession = async (pid, offset) => {
      const state = await restore.call(adapter, pid, offset);
      const mayRecover = this.#inUse.get(pid);
      if (!state || !mayRecover) return state;
      const { missedPackets } = state;
      return Object.defineProperty(state, "missedPackets", {
        get: () => (mayRecover() ? missedPackets : []),
      });
    };
  }

  /** Binds a new socket to its session, and keeps `claimed` in use until a recovered one has left. */
  settle(socket: Socket, connection: EngineConnection, claimed: string | undefined): void {
    const pids = this.#hooks.pids(connection); // also for a recovered one, which may be about to join without middleware
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

/** Refuses a socket at which a rule turned false while it was in middleware, or was recovered without. */
function refuseLate(namespace: Namespace): void {
  const connect = namespace._doConnect;
  namespace._doConnect = (socket, done) => {
    const refusal = guardOf(socket)?.rules.refusalOf(socket);
    if (!refusal) return connect.call(namespace, socket, done);
    const { message, data } = refusal;
    socket._cleanup();
    socket._error(socket.conn.protocol === 3 ? data : { message, data });
  };
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
