/** A session that ends before its client knows that it is connected: the client gets both messages. */
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describe.each(transportKinds)("by $name", ({ transports }) => {
  test.each(namespaceKinds)("in $name", async ({ namespace }) => {
    world = await startWorld({
      sockets: (io) =>
        installHandlers(io, (socket) => {
          socket.emit("private");
          void socket.session.end("revoked");
        }),
    });
    const ada = await world.visitor();
    const socket = ada.socket(namespace, { transports: [...transports] });
    const told: unknown[] = [];
    socket.on("connect", () => told.push("connect"));
    socket.onAny((event, ...args) => told.push([event, ...args]));
    expect(await disconnected(socket)).toBe("io server disconnect");
    expect(told.filter((one) => !String(one).startsWith("private"))).toEqual([
      "connect",
      ["session:end", { reason: "revoked" }],
    ]);
    expect(socket.active).toBe(false);
  });
});
