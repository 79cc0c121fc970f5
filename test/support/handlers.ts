import type { Server, Socket } from "socket.io";

/** The namespaces of the tests: main, static, dynamic. */
export const namespaces = ["/", "/admin", /^\/room-\d+$/] as const;

/** The events that the tests' sockets handle, in every namespace; `also` adds more. */
export function installHandlers(io: Server, also?: (socket: Socket) => void): void {
  for (const namespace of namespaces) {
    io.of(namespace).on("connection", (socket) => {
      socket.on("read", (done) => done(socket.session.data));
      socket.on("state", (done) => done(socket.session.state));
      socket.on("increment", async (done) => {
        const n = await socket.session.update((s) => {
          s.n = (s.n ?? 0) + 1;
          return s.n;
        });
        done(n);
      });
      socket.on("end", async (done) => done(await socket.session.end()));
      also?.(socket);
    });
  }
}

/** The server's side of all connected sockets, in every namespace. */
export function serverSockets(io: Server): Socket[] {
  return [...io._nsps.values()].flatMap((namespace) => [...namespace.sockets.values()]);
}
