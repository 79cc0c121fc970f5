import type { Socket as ServerSocket } from "socket.io";
import type { Socket } from "socket.io-client";
import type { Browser } from "./browser.ts";
import { disconnected } from "./browser.ts";
import { serverSockets } from "./handlers.ts";
import type { World } from "./world.ts";

export interface Connections {
  readonly clients: Socket[];
  /** The end message that each client received. */
  readonly told: unknown[];
  /** The reason of each client's disconnection. */
  readonly ends: Promise<string[]>;
  readonly serverSides: ServerSocket[];
}

/** Two connections of one visitor, each in every namespace kind, and what becomes of them. */
export async function connectEverywhere(
  world: World,
  visitor: Browser,
  transports: string[],
): Promise<Connections> {
  const before = new Set(serverSockets(world.io));
  const clients: Socket[] = [];
  const told: unknown[] = [];
  for (let connection = 0; connection < 2; connection++) {
    const main = await visitor.connect("/", { transports });
    const more = [main.io.socket("/admin"), main.io.socket("/room-7")];
    await Promise.all(
      more.map((socket) => new Promise((resolve) => socket.once("connect", () => resolve(0)))),
    );
    clients.push(main, ...more);
  }
  for (const client of clients) client.on("session:end", (message) => told.push(message));
  const ends = Promise.all(clients.map(disconnected));
  return {
    clients,
    told,
    ends,
    serverSides: serverSockets(world.io).filter((socket) => !before.has(socket)),
  };
}
