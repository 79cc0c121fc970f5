import { connect, createServer, type Socket } from "node:net";
import { listen } from "./listen.ts";

/** One address before several nodes: each new TCP connection goes to the node chosen last. */
export interface Front {
  readonly url: string;
  sendTo(node: { readonly url: string }): void;
  close(): void;
}

export async function startFront(node: { readonly url: string }): Promise<Front> {
  let chosen = node.url;
  const sockets = new Set<Socket>();
  const follow = (one: Socket, other: Socket) => {
    sockets.add(one);
    one.on("error", () => {}); // its close follows
    one.on("close", () => {
      sockets.delete(one);
      other.destroy();
    });
  };
  const server = createServer((inner) => {
    const { port, hostname } = new URL(chosen);
    const outer = connect(Number(port), hostname);
    follow(inner, outer);
    follow(outer, inner);
    inner.pipe(outer).pipe(inner);
  });
  const url = await listen(server);
  return {
    url,
    sendTo: (other) => {
      chosen = other.url;
    },
    close: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
