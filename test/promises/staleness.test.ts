import type { FeedListener, SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** A node whose clock jumps, as that of a process that was frozen: its feed has said nothing since. */
async function frozenWorld() {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const listeners: FeedListener[] = [];
  const silent: SessionStore = Object.assign(store, {
    changes: async (listener: FeedListener) => {
      listeners.push(listener);
      return async () => {};
    },
  });
  const handled: string[] = [];
  world = await startWorld({
    store: silent,
    clock,
    sockets: (io) => installHandlers(io, (socket) => socket.on("late", () => handled.push(socket.nsp.name))),
  });
  const freeze = async (ms: number) => {
    listeners[0]?.alive?.(clock.now());
    await clock.advance(ms);
  };
  return { freeze, handled, alive: () => listeners[0]?.alive?.(clock.now()) };
}

describe.each(transportKinds)(
  "a node that was frozen for longer than staleMs, by $name",
  ({ transports }) => {
    describe.each(namespaceKinds)("in $name", ({ namespace }) => {
      const connect = async () => {
        const frozen = await frozenWorld();
        const ada = await world.visitor({ name: "ada" });
        const options = { transports: [...transports], reconnection: false };
        const socket = await ada.connect(namespace, options);
        await upgraded(socket);
        await socket.emitWithAck("read");
        const received: unknown[] = [];
        socket.on("news", (news) => received.push(news));
        return { ...frozen, socket, received, gone: disconnected(socket) };
      };

      test("delivers nothing more to its sockets, and closes them", async () => {
        const { freeze, received, gone } = await connect();
        await freeze(60_000);
        for (const socket of serverSockets(world.io)) socket.emit("news", "to one");
        world.io.of(namespace).emit("news", "to all");
        expect(await gone).toMatch(/transport (close|error)/);
        expect(received).toEqual([]);
        expect(world.sessions.stats().live).toBe(0);
      });

      test("takes no event from them, and closes them", async () => {
        const { freeze, socket, handled, gone } = await connect();
        await freeze(60_000);
        socket.emit("late");
        expect(await gone).toMatch(/transport (close|error)/);
        expect(handled).toEqual([]);
      });

      test("goes on as if nothing had been, where its feed has caught up first", async () => {
        const { freeze, alive, socket, received } = await connect();
        await freeze(60_000);
        alive();
        world.io.of(namespace).emit("news", "to all");
        expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
        expect(received).toEqual(["to all"]);
      });
    });
  },
);
