import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { disconnected } from "../support/browser.ts";
import { frozenWorld } from "../support/frozen-world.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { namespaceKinds, transportKinds } from "../support/matrix.ts";
import { RawPolling } from "../support/raw-client.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

/** A node that can be frozen, and what reaches its application, by whatever way. */
async function startFrozen() {
  const reached: string[] = [];
  const held: (() => void)[] = [];
  const frozen = await frozenWorld({
    sockets: (io) => {
      installHandlers(io, (socket) => {
        socket.on("late", () => reached.push("on"));
        socket.use(([event], next) => {
          if (event === "slow") held.push(next);
          else next();
        });
        socket.on("slow", () => reached.push("slow"));
        socket.onAny((event) => event === "late" && reached.push("onAny"));
        socket.prependAny((event) => event === "late" && reached.push("prependAny"));
      });
      const joinedLate = io.of("/joined-late");
      joinedLate.use((socket, next) => {
        reached.push("middleware");
        if (socket.handshake.auth.waits) held.push(next);
        else next();
      });
      joinedLate.on("connection", () => reached.push("connection"));
    },
  });
  ({ world } = frozen);
  return { ...frozen, reached, held };
}

describe.each(transportKinds)(
  "a node that was frozen for longer than staleMs, by $name",
  ({ transports }) => {
    const options = { transports: [...transports], reconnection: false };

    describe.each(namespaceKinds)("in $name", ({ namespace }) => {
      const connect = async () => {
        const frozen = await startFrozen();
        const ada = await world.visitor({ name: "ada" });
        const socket = await ada.connect(namespace, options);
        await upgraded(socket);
        await socket.emitWithAck("read");
        const received: unknown[] = [];
        socket.on("news", (news) => received.push(news));
        const asked: ((answer: string) => void)[] = [];
        socket.on("ask", (answer) => asked.push(answer));
        for (const one of serverSockets(world.io))
          one.emit("ask", (answer: string) => frozen.reached.push(answer));
        await expect.poll(() => asked.length).toBe(1);
        return { ...frozen, socket, received, asked, gone: disconnected(socket) };
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

      test("handles no event from them, not for onAny either, and closes them", async () => {
        const { freeze, socket, reached, gone } = await connect();
        await freeze(60_000);
        socket.emit("late");
        expect(await gone).toMatch(/transport (close|error)/);
        expect(reached).toEqual([]);
      });

      test("handles no event that waited in a middleware of theirs, and closes them", async () => {
        const { freeze, socket, held, reached, gone } = await connect();
        socket.emit("slow");
        await expect.poll(() => held.length).toBe(1);
        await freeze(60_000);
        for (const next of held) next();
        expect(await gone).toMatch(/transport (close|error)/);
        expect(reached).toEqual([]);
      });

      test("accepts no acknowledgement from them, and closes them", async () => {
        const { freeze, asked, reached, gone } = await connect();
        await freeze(60_000);
        asked[0]?.("acknowledgement");
        expect(await gone).toMatch(/transport (close|error)/);
        expect(reached).toEqual([]);
      });

      test("goes on as before, if its feed has caught up first", async () => {
        const { freeze, alive, socket, received, asked, reached } = await connect();
        await freeze(60_000);
        alive();
        world.io.of(namespace).emit("news", "to all");
        asked[0]?.("acknowledgement");
        socket.emit("late");
        expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
        expect(received).toEqual(["to all"]);
        expect(reached).toEqual(["acknowledgement", "prependAny", "onAny", "on"]);
      });
    });

    describe("lets no socket join a namespace", () => {
      const connect = async () => {
        const frozen = await startFrozen();
        const ada = await world.visitor();
        const socket = await ada.connect("/", options);
        await upgraded(socket);
        await socket.emitWithAck("read");
        return { ...frozen, socket, gone: disconnected(socket) };
      };

      const expectNobodyLeft = async () => {
        for (const { sockets, adapter } of [world.io.of("/"), world.io.of("/joined-late")]) {
          await expect.poll(() => sockets.size).toBe(0);
          expect(adapter.rooms.size).toBe(0);
        }
      };

      test("that a client asks for after the freeze: neither middleware nor handler runs, and no socket is left", async () => {
        const { freeze, socket, reached, gone } = await connect();
        await freeze(60_000);
        socket.io.socket("/joined-late");
        expect(await gone).toMatch(/transport (close|error)/);
        await expectNobodyLeft();
        expect(reached).toEqual([]);
      });

      test("whose middleware was waiting during the freeze: no handler runs, and no socket is left", async () => {
        const { freeze, socket, reached, held, gone } = await connect();
        socket.io.socket("/joined-late", { auth: { waits: true } });
        await expect.poll(() => held.length).toBe(1);
        await freeze(60_000);
        for (const next of held) next();
        expect(await gone).toMatch(/transport (close|error)/);
        await expectNobodyLeft();
        expect(reached).toEqual(["middleware"]);
      });

      test("unless its feed has caught up first", async () => {
        const { freeze, alive, socket, reached } = await connect();
        await freeze(60_000);
        alive();
        const late = socket.io.socket("/joined-late");
        await new Promise<void>((resolve) => late.once("connect", () => resolve()));
        expect(reached).toEqual(["middleware", "connection"]);
      });
    });
  },
);

describe("packets that waited for a client's poll while its node was frozen", () => {
  const waiting = async () => {
    const frozen = await startFrozen();
    const ada = await world.visitor();
    const client = new RawPolling(world.url, { cookie: ada.cookie });
    await client.open();
    world.io.emit("news", "private");
    await frozen.freeze(60_000);
    return { ...frozen, client };
  };

  test("are not delivered", async () => {
    const { client } = await waiting();
    const { body } = await client.send("GET");
    expect(body).not.toContain("private");
    expect(world.sessions.stats().live).toBe(0);
  });

  test("are delivered if its feed has caught up first", async () => {
    const { client, alive } = await waiting();
    alive();
    expect((await client.send("GET")).body).toContain("private");
  });
});

test("a listener of `feed` that sends to sockets finds their sessions fresh, and ends none", async () => {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const changes = store.changes?.bind(store);
  let cut = (_error: Error): void => {};
  store.changes = async (listener, options) => {
    cut = (error) => listener.broken(error);
    return (await changes?.(listener, options)) ?? (async () => {});
  };
  world = await startWorld({ store, clock });
  const socket = await (await world.visitor()).connect();
  const ends: unknown[] = [];
  world.sessions.on("end", ({ reason }) => ends.push(reason));
  world.sessions.on("feed", ({ state }) => world.io.emit("feed", state));
  const received = new Promise((resolve) => socket.once("feed", resolve));
  await clock.advance(120_000);
  cut(new Error("cut"));
  expect(ends).toEqual([]);
  expect(await received).toBe("broken");
  expect(socket.connected).toBe(true);
});
