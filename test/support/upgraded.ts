import type { Socket } from "socket.io-client";

/** Resolves when a client that may upgrade has done so; at once for others. */
export function upgraded(socket: Socket): Promise<void> {
  const { engine, opts } = socket.io;
  const mayUpgrade = Array.isArray(opts.transports) && opts.transports.length > 1;
  if (!mayUpgrade || engine.transport.name === "websocket") return Promise.resolve();
  return new Promise((resolve) => engine.once("upgrade", () => resolve()));
}
