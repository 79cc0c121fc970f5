import type { SessionStore } from "socket-session";
import { afterEach, describe, expect, test } from "vitest";
import { connected, disconnected } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { describeEverywhere, describeStores, storeKinds, transportKinds } from "../support/matrix.ts";
import { spyStore } from "../support/spy-store.ts";
import { upgraded } from "../support/upgraded.ts";
import { startWorld, type World } from "../support/world.ts";

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;

let world: World;
let other: World | undefined;
afterEach(async () => {
  await other?.close();
  other = undefined;
  await world.close();
});

const obedient = storeKinds.filter(({ obeysClock }) => obeysClock);

describe.each(obedient)("activity is what people do, over $name", (store) => {
  describe.each(transportKinds)("by $name", (kind) => {
    const transports = [...kind.transports];

    async function start(cookie: { maxAge?: number } = { maxAge: hour }, options: object = {}) {
      const clock = new ManualClock();
      const spy = spyStore(store.open(clock) as SessionStore);
      world = await startWorld({
        store: spy,
        clock,
        cookie,
        sockets: (io) => installHandlers(io),
        ...options,
      });
      return { clock, spy };
    }

    test.each(["/", "/admin", "/room-7"])(
      "a silent socket in %s ends at expiry, with the reason expired",
      async (namespace) => {
        const { clock } = await start();
        const ada = await world.visitor();
        const socket = await ada.connect(namespace, { transports });
        await upgraded(socket);
        const told = new Promise((resolve) => socket.once("session:end", resolve));
        const gone = disconnected(socket);
        await clock.advance(hour - 1000);
        expect(await socket.emitWithAck("state")).toBe("live");
        await clock.advance(hour - 1000);
        expect(serverSockets(world.io)).toHaveLength(1); // that was activity
        await clock.advance(2000);
        expect(serverSockets(world.io)).toHaveLength(0);
        expect(await told).toEqual({ reason: "expired" });
        expect(await gone).toBe("io server disconnect");
        expect(JSON.parse(await ada.get("/session")).data).toEqual({});
      },
    );

    test("a chatting socket lives on, and the store receives one touch per touchIntervalMs at most", async () => {
      const { clock, spy } = await start({ maxAge: hour }, { touchIntervalMs: minute });
      const ada = await world.visitor();
      const first = await ada.connect("/", { transports });
      const second = await ada.connect("/admin", { transports });
      const before = spy.calls.touch;
      const rounds = 12 * 30; // three hours, an event every thirty seconds from each of two sockets, and a request
      for (let i = 0; i < rounds; i++) {
        await Promise.all([first.emitWithAck("read"), second.emitWithAck("read")]);
        if (i % 10 === 0) await ada.get("/session");
        await clock.advance(30_000);
      }
      expect(first.connected && second.connected).toBe(true);
      const touches = spy.calls.touch - before;
      expect(touches).toBeLessThanOrEqual((rounds * 30_000) / minute + 1);
      expect(touches).toBeGreaterThanOrEqual((rounds * 30_000) / minute / 2 - 1);
    });

    test("polls, heartbeats and acknowledgements are not activity: an idle connection expires", async () => {
      const { clock, spy } = await start({ maxAge: hour }, { io: { pingInterval: 20, pingTimeout: 5000 } });
      const ada = await world.visitor();
      const socket = await ada.connect("/", { transports });
      await upgraded(socket);
      socket.on("question", (answer) => answer("yes"));
      const gone = disconnected(socket);
      const [serverSide] = serverSockets(world.io);
      const touches = spy.calls.touch;
      for (let i = 0; i < 6; i++) {
        await new Promise<void>((resolve) => socket.io.engine.once("heartbeat", () => resolve())); // at least one poll, too
        expect(await serverSide?.emitWithAck("question")).toBe("yes");
        await clock.advance(10 * minute);
      }
      expect(spy.calls.touch).toBe(touches);
      expect(await gone).toBe("io server disconnect");
    });

    test.each([
      ["30 days", { maxAge: 30 * day }, 30 * day],
      ["no maxAge: the ttlMs", {}, day],
    ])("sessions of %s live exactly as long", async (_name, cookie, life) => {
      const { clock } = await start(cookie);
      const ada = await world.visitor();
      const socket = await ada.connect("/", { transports });
      const gone = disconnected(socket);
      await settle();
      expect(serverSockets(world.io)).toHaveLength(1);
      await clock.advance(life - 2000);
      expect(serverSockets(world.io)).toHaveLength(1);
      await clock.advance(3000);
      expect(serverSockets(world.io)).toHaveLength(0);
      expect(await gone).toBe("io server disconnect");
    });

    test("a session with its own maxAge (remember me) is extended by that", async () => {
      const { clock } = await start(
        { maxAge: hour },
        {
          routes: (app: import("express").Express) => {
            app.post("/remember", (req, res) => {
              req.session.cookie.maxAge = 10 * day;
              res.send("ok");
            });
          },
        },
      );
      const ada = await world.visitor();
      const socket = await ada.connect("/", { transports });
      await ada.post("/remember");
      await clock.advance(9 * day);
      await socket.emitWithAck("read");
      await clock.advance(9 * day);
      expect(serverSockets(world.io)).toHaveLength(1);
      const gone = disconnected(socket);
      await clock.advance(day + 1000);
      expect(await gone).toBe("io server disconnect");
    });

    test("a life that a request shortens ends earlier, and activity goes on extending it", async () => {
      const { clock } = await start(
        { maxAge: 10 * day },
        {
          routes: (app: import("express").Express) => {
            app.post("/shorten", (req, res) => {
              req.session.cookie.maxAge = hour;
              res.send("ok");
            });
          },
        },
      );
      const ada = await world.visitor();
      const socket = await ada.connect("/", { transports });
      await clock.advance(hour);
      await socket.emitWithAck("read"); // a touch, which is remembered for a while
      await ada.post("/shorten");
      for (let i = 0; i < 4; i++) {
        await clock.advance(hour / 2);
        await socket.emitWithAck("read");
      }
      expect(serverSockets(world.io)).toHaveLength(1);
      const gone = disconnected(socket);
      await clock.advance(hour + 1000);
      expect(await gone).toBe("io server disconnect");
    });

    test("a touch on another node moves the deadline without a message", async () => {
      const { clock, spy } = await start();
      const ada = await world.visitor();
      const socket = await ada.connect("/", { transports });
      const other = await startWorld({ store: spy, clock, cookie: { maxAge: hour } });
      const elsewhere = other.browser();
      elsewhere.cookie = ada.cookie;
      await clock.advance(hour / 2);
      await elsewhere.get("/session");
      await clock.advance(hour / 2 + 1000);
      expect(socket.connected).toBe(true);
      expect(serverSockets(world.io)).toHaveLength(1);
      await clock.advance(hour / 2 + 1000);
      expect(serverSockets(world.io)).toHaveLength(0);
      other.http.close();
      await other.io.close();
    });
  });
});

describeStores("in real time", ({ store, transports, namespace }) => {
  test("an idle socket ends with its session", async () => {
    world = await startWorld({
      store: store.open(),
      cookie: { maxAge: 2000 },
      sockets: (io) => installHandlers(io),
    });
    const ada = await world.visitor();
    const socket = ada.socket(namespace, { transports });
    const gone = disconnected(socket); // from before it connects: on a busy machine both may come in one turn
    await connected(socket);
    expect(await gone).toBe("io server disconnect");
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
  });
});

describeEverywhere("a life that a request makes longer, and shorter", ({ store, transports, namespace }) => {
  test("is an event of the session's sockets on each node, once", async () => {
    const shared = { store: store.open(), revalidateIntervalMs: 500, staleMs: 60_000 };
    const onNodes = await Promise.all(
      [1, 2].map(async () => {
        const moves: [previous: number, expiresAt: number][] = [];
        const node = await startWorld({
          ...shared,
          cookie: { maxAge: hour },
          routes: (app) => {
            app.post("/live/:ms", (req, res) => {
              req.session.cookie.maxAge = Number(req.params.ms);
              res.send("ok");
            });
          },
          sockets: (io) =>
            installHandlers(io, ({ session }) => {
              session.on("extend", (expiresAt, previous) => moves.push([previous, expiresAt]));
            }),
        });
        return { node, moves };
      }),
    );
    const [here, there] = onNodes;
    if (!here || !there) throw new Error("Expected two nodes.");
    world = here.node;
    other = there.node;
    const before = Date.now();
    const ada = await world.visitor();
    const elsewhere = other.browser();
    elsewhere.cookie = ada.cookie;
    await ada.connect(namespace, { transports });
    await elsewhere.connect(namespace, { transports });
    const hours = ({ moves }: typeof here) =>
      moves.map((times) => times.map((at) => Math.round((at - before) / hour)));
    await ada.post(`/live/${5 * hour}`);
    expect(hours(here)).toEqual([[1, 5]]);
    await expect.poll(() => hours(there)).toEqual([[1, 5]]);
    await ada.post(`/live/${2 * hour}`);
    const both = [
      [1, 5],
      [5, 2],
    ];
    expect(hours(here)).toEqual(both);
    await expect.poll(() => hours(there)).toEqual(both);
  });
});

describeStores("touches of requests", ({ store }) => {
  test("touchIntervalMs: 0 touches at each request, as plain express-session does", async () => {
    const clock = new ManualClock();
    world = await startWorld({ store: store.open(clock), clock, touchIntervalMs: 0 });
    const ada = await world.visitor();
    const { touches } = world.sessions.stats();
    for (let i = 0; i < 3; i++) {
      await clock.advance(1);
      await ada.get("/session");
    }
    expect(world.sessions.stats().touches).toBe(touches + 3);
  });

  test("concurrent requests make one touch", async () => {
    const clock = new ManualClock();
    world = await startWorld({ store: store.open(clock), clock, cookie: { maxAge: hour } });
    const ada = await world.visitor();
    await clock.advance(2 * minute);
    await store.pass?.(2 * minute);
    const { touches } = world.sessions.stats();
    await Promise.all(Array.from({ length: 8 }, () => ada.get("/session")));
    expect(world.sessions.stats().touches).toBe(touches + 1);
  });
});
