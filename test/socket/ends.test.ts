/** A session's connections close at its end, whatever fails. */
import type { Socket as ServerSocket } from "socket.io";
import type { FeedListener } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { type Connections, connectEverywhere } from "../support/ends.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { transportKinds } from "../support/matrix.ts";
import { rawPackets, rawRequest } from "../support/raw-client.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

const fail = (): never => {
  throw new Error("fails at the end");
};

const clients = () => expect.poll(() => world.io.engine.clientsCount);

describe.each(transportKinds)("by $name", ({ transports }) => {
  let feed: FeedListener;
  let ada: Browser;
  let connections: Connections;

  /** Two connections of one visitor, each in three namespaces; `prepare` gets all sockets of the server. */
  async function start(prepare: (socket: ServerSocket) => void = () => {}): Promise<void> {
    const store = memoryStore();
    const changes = store.changes?.bind(store);
    store.changes = async (listener, options) => {
      feed = listener;
      return (await changes?.(listener, options)) ?? (async () => {});
    };
    world = await startWorld({ store, rebindMs: 0, sockets: (io) => installHandlers(io, prepare) });
    ada = await world.visitor();
    connections = await connectEverywhere(world, ada, [...transports]);
    for (const { io } of connections.clients) io.reconnection(false);
  }

  test.each([["bye"], ["constructor"], ["__proto__"], [undefined], [{}], [Symbol("s")]])(
    "the unknown reason %o is sent as revoked, and stops stock clients",
    async (reason) => {
      await start();
      const [socket] = serverSockets(world.io);
      const publicIds = [socket?.session.publicId ?? ""];
      feed.changed({ kind: "ended", publicIds, reason: reason as never });
      expect(await connections.ends).toEqual(Array(6).fill("io server disconnect"));
      expect(connections.told).toEqual(Array(6).fill({ reason: "revoked" }));
      expect(connections.clients.map((client) => client.active)).toEqual(Array(6).fill(false));
      await clients().toBe(0);
      expect(serverSockets(world.io)).toEqual([]);
    },
  );

  const faults: [string, () => void][] = [
    [
      "the application's parser fails at the farewell",
      () => {
        Reflect.set(Reflect.get(world.io, "encoder"), "encode", fail);
      },
    ],
    [
      "one connection can't be written to",
      () => {
        const [socket] = serverSockets(world.io);
        if (socket) Reflect.set(socket.conn, "write", fail);
      },
    ],
    [
      "listeners of a disconnection throw",
      () => {
        for (const socket of serverSockets(world.io)) {
          for (const event of ["disconnecting", "disconnect"]) socket.on(event, fail);
          socket.session.on("end", fail);
        }
      },
    ],
    [
      "listeners of the transport throw",
      () => {
        for (const socket of serverSockets(world.io)) socket.conn.on("close", fail);
      },
    ],
    [
      "the adapter fails",
      () => {
        for (const { adapter } of world.io._nsps.values()) adapter.delAll = fail;
      },
    ],
  ];

  for (const end of ["/logout", "/regenerate"]) {
    test.each(faults)(`all connections close after ${end} where %s`, async (_name, sabotage) => {
      await start();
      sabotage();
      await ada.post(end);
      await connections.ends;
      await clients().toBe(0);
      for (const error of world.errors)
        expect(error).toMatchObject({ code: "LISTENER_FAILED", cause: new Error("fails at the end") });
    });
  }

  test.each(faults)("all connections close with sessions.close() where %s", async (_name, sabotage) => {
    await start();
    sabotage();
    await world.sessions.close();
    await connections.ends;
    await clients().toBe(0);
  });
});

describe("any failure at a refusal", () => {
  const revisions = [3, 4] as const;

  test.each(
    revisions.flatMap((revision) => ["polling", "websocket"].map((name) => [name, revision] as const)),
  )("the connection closes, by %s of revision %i", async (transport, revision) => {
    const clock = new ManualClock();
    world = await startWorld({ clock, io: { allowEIO3: true } });
    Reflect.set(Reflect.get(world.io, "encoder"), "encode", fail);
    const send = await rawPackets(world.url, transport, revision);
    await send("0/admin,");
    await expect.poll(() => world.errors.length).toBe(revision === 3 ? 2 : 1);
    await clock.advance(5_000);
    await clients().toBe(0);
    expect(world.errors[0]).toMatchObject({ code: "LISTENER_FAILED", cause: new Error("fails at the end") });
  });

  test("the request is answered, if a listener of connection_error throws", async () => {
    world = await startWorld();
    world.io.engine.on("connection_error", fail);
    const url = `${world.url}/socket.io/?EIO=4&transport=polling`;
    expect((await rawRequest(url, "GET", { origin: "https://evil.example" })).status).toBe(403);
    await world.sessions.close();
    expect((await rawRequest(url, "GET", {})).status).toBe(503);
    expect(world.errors).toHaveLength(2);
  });
});
