import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let other: World | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
  await world.close();
});

test.each(["update", "reload"] as const)(
  "a first change listener gets each change with the data before it, however long ago the handle's last %s was",
  async (method) => {
    world = await startWorld();
    const ada = await world.visitor({ name: "ada" });
    await ada.connect();
    const [socket] = serverSockets(world.io);
    const name = (to: string) => ada.post("/write", { name: to });
    if (method === "update") await socket?.session.update((s) => void Object.assign(s, { name: "b" }));
    else await name("b").then(() => socket?.session.reload());
    await name("c");
    const changes: unknown[] = [];
    socket?.session.on("change", (data, previous) => changes.push([previous.name, data.name]));
    await name("b");
    await name("d");
    expect(changes).toEqual([
      ["c", "b"],
      ["b", "d"],
    ]);
  },
);

describe("a move of the deadline", () => {
  const minute = 60_000;
  const hour = 60 * minute;

  /** `moves`: of each socket's session, in the order of their events. */
  async function start(options: WorldOptions = {}) {
    const clock = new ManualClock();
    const shared = { store: memoryStore({ clock }), clock, cookie: { maxAge: hour } };
    const moves: { namespace: string; expiresAt: number; previous: number }[] = [];
    world = await startWorld({
      ...shared,
      routes: (app) => {
        app.post("/live/:ms", (req, res) => {
          req.session.cookie.maxAge = Number(req.params.ms);
          res.send("ok");
        });
      },
      sockets: (io) =>
        installHandlers(io, ({ nsp, session }) => {
          session.on("extend", (expiresAt, previous) => {
            expect(session.expiresAt).toBe(expiresAt);
            moves.push({ namespace: nsp.name, expiresAt, previous });
          });
        }),
      ...options,
    });
    return { clock, moves, shared, begin: clock.now() };
  }

  const within = (moves: readonly { expiresAt: number; previous: number }[], begin: number) =>
    moves.map(({ expiresAt, previous }) =>
      [previous, expiresAt].map((at) => Math.round((at - begin) / minute)),
    );

  test("by a touch is an event of each socket, once, and a touch that is not due is none", async () => {
    const { clock, moves, begin } = await start();
    const ada = await world.visitor();
    const main = await ada.connect("/");
    const admin = await ada.connect("/admin");
    expect(moves).toEqual([]);
    await clock.advance(10 * minute);
    await Promise.all([main.emitWithAck("read"), admin.emitWithAck("read")]);
    await main.emitWithAck("read");
    expect(moves.map(({ namespace }) => namespace).sort()).toEqual(["/", "/admin"]);
    expect(within(moves, begin)).toEqual([
      [60, 70],
      [60, 70],
    ]);
  });

  test("by a request is an event, whether it makes the life shorter or longer, and an update is none", async () => {
    const { moves, begin } = await start();
    const ada = await world.visitor();
    const socket = await ada.connect("/");
    await ada.post(`/live/${10 * minute}`);
    await socket.emitWithAck("increment");
    await ada.post(`/live/${5 * hour}`);
    expect(within(moves, begin)).toEqual([
      [60, 10],
      [10, 300],
    ]);
  });

  test("by a touch on another node is an event when this node reads the session, at the old deadline", async () => {
    const { clock, moves, shared, begin } = await start();
    other = await startWorld(shared);
    const ada = await world.visitor();
    await ada.connect("/");
    const elsewhere = other.browser();
    elsewhere.cookie = ada.cookie;
    await clock.advance(hour / 2);
    await elsewhere.get("/session");
    expect(moves).toEqual([]);
    await clock.advance(hour / 2);
    expect(within(moves, begin)).toEqual([[60, 90]]);
  });

  test("of less than a second is an event once it adds up with others", async () => {
    const { clock, moves } = await start({ touchIntervalMs: 0 });
    const ada = await world.visitor();
    const socket = await ada.connect("/");
    const session = serverSockets(world.io)[0]?.session;
    const before = session?.expiresAt ?? 0;
    for (let i = 1; i <= 4; i++) {
      await clock.advance(300);
      await socket.emitWithAck("read");
      expect(session?.expiresAt).toBe(before + i * 300);
    }
    expect(moves).toEqual([{ namespace: "/", expiresAt: before + 1200, previous: before }]);
  });

  test("is the first write of a guest, who had none", async () => {
    const { moves, begin } = await start({ guests: "create" });
    const socket = await world.browser().connect("/");
    await socket.emitWithAck("increment");
    expect(moves[0]?.previous).toBe(Number.POSITIVE_INFINITY);
    expect(Math.round(((moves[0]?.expiresAt ?? 0) - begin) / minute)).toBe(60);
    expect(moves).toHaveLength(1);
  });
});
