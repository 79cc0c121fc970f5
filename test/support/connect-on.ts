import type { Socket } from "socket.io-client";
import { type Browser, connected } from "./browser.ts";
import { namespaceKinds, transportKinds } from "./matrix.ts";
import type { NodeProcess } from "./node-process.ts";
import { upgraded } from "./upgraded.ts";

/**
 * Clients of a visitor on each of the nodes, by every transport, each in another kind of namespace. They stay away once they
 * are closed.
 */
export async function connectOn(nodes: readonly NodeProcess[], visitor: Browser): Promise<Socket[]> {
  const sockets = nodes.flatMap((node) => {
    const guest = node.guest(visitor);
    return transportKinds.map(({ transports }, index) => {
      const namespace = namespaceKinds[index]?.namespace ?? "/";
      return guest.socket(namespace, { transports: [...transports], reconnection: false });
    });
  });
  await Promise.all(sockets.map((socket) => connected(socket)));
  await Promise.all(sockets.map(upgraded));
  return sockets;
}
