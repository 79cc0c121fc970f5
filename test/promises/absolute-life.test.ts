import type { Socket } from "socket.io-client";
import type { LiveSessionsOptions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeEverywhere, describeStores, transportKinds } from "../support/matrix.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const second = 1_000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;

/** Databases answer in their own time, while a test moves the nodes' clock. */
const patient = { storeTimeoutMs: 100 * day, revalidateIntervalMs: 100 * day };

type Store = LiveSessionsOptions["store"];

/** A node over `store`. Its clock stands still until the test moves it. */
async function startNode(store: Store, clock: ManualClock, options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({
    ...patient,
    store,
    clock,
    cookie: { maxAge: 30 * day },
    touchIntervalMs: 0,
    sockets: (io) =>
      installHandlers(io, (socket) => {
        socket.on("expiresAt", (done) => done(socket.session.expiresAt));
      }),
    routes: (app, sessions) => {
      app.get("/expires-at", (req, res) => {
        const session = sessions.of(req);
        session.reload().then(
          () => res.send(String(session.expiresAt)),
          () => res.send("none"),
        );
      });
    },
    ...options,
  });
  onTestFinished(() => world.close());
  return world;
}

/** Redis counts the time that is left, in time of its own. */
const about = (time: number): unknown => expect.closeTo(time, -4);

const dataOf = async (browser: Browser) => JSON.parse(await browser.get("/session")).data;
const endOf = (socket: Socket) => new Promise((resolve) => socket.once("session:end", resolve));
const deadlineOf = async (browser: Browser) => Number(await browser.get("/expires-at"));

describeEverywhere("an absolute life time", ({ store, transports, namespace }) => {
  test("is over, on all nodes, however much the session is used", async () => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const node = await startNode(opened, clock, { absoluteMs: minute });
    const other = await startNode(opened, clock, { absoluteMs: minute });
    const ada = await node.visitor();
    const deadline = clock.now() + minute;
    const here = await ada.connect(namespace, { transports });
    const there = await ada.at(other.url).connect(namespace, { transports });
    const ends = Promise.all([endOf(here), endOf(there)]);
    for (let n = 1; n < 6; n++) {
      await clock.advance(10 * second);
      await here.emitWithAck("increment");
      await there.emitWithAck("read");
      await ada.post("/write", { m: n });
      await ada.at(other.url).get("/session");
      expect(await here.emitWithAck("expiresAt")).toEqual(about(deadline));
      expect(await deadlineOf(ada)).toEqual(about(deadline));
    }
    await clock.advance(10 * second);
    expect(await ends).toEqual([{ reason: "expired" }, { reason: "expired" }]);
    for (const one of [node, other]) {
      const { id, data } = JSON.parse(await ada.at(one.url).get("/session"));
      expect(data).toEqual({});
      expect(decodeURIComponent(ada.cookie)).not.toContain(id);
    }
  });

  test.each(["/login", "/sessions-login"])("begins again at %s", async (path) => {
    const clock = new ManualClock();
    const node = await startNode(store.open(clock), clock, {
      absoluteMs: minute,
      routes: (app, sessions) => {
        app.post("/sessions-login", async (req, res) => {
          await sessions.login(req, req.body);
          res.send("in");
        });
      },
    });
    const ada = await node.visitor();
    await clock.advance(40 * second);
    await ada.post(path, { name: "ada" });
    const socket = await ada.connect(namespace, { transports });
    expect(await socket.emitWithAck("expiresAt")).toEqual(about(clock.now() + minute));
    const end = endOf(socket);
    await clock.advance(40 * second);
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
    await clock.advance(20 * second);
    expect(await end).toEqual({ reason: "expired" });
  });

  test("begins at the first use of a session that another process has stored without it", async () => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const older = await startNode(opened, clock);
    const node = await startNode(opened, clock, { absoluteMs: minute });
    const ada = await older.visitor();
    await clock.advance(10 * minute);
    const socket = await ada.at(node.url).connect(namespace, { transports });
    const deadline = clock.now() + minute;
    await expect.poll(() => socket.emitWithAck("expiresAt")).toEqual(about(deadline));
    const changes: unknown[] = [];
    for (const { sessions } of [older, node]) sessions.on("change", ({ data }) => changes.push(data));
    const end = endOf(socket);
    await clock.advance(30 * second);
    await ada.post("/write", { m: 1 }); // by the older process, which extends it by a month
    expect(await ada.get("/session")).not.toContain("Started");
    await expect.poll(() => socket.emitWithAck("increment")).toBe(1);
    expect(await deadlineOf(ada.at(node.url))).toEqual(about(deadline));
    expect(await dataOf(ada)).toEqual({ name: "ada", m: 1, n: 1 });
    await clock.advance(30 * second);
    expect(await end).toEqual({ reason: "expired" });
    expect(await dataOf(ada)).toEqual({});
    expect(JSON.stringify(changes)).not.toContain("Started");
  });

  test("of a guest begins when the session is stored", async () => {
    const clock = new ManualClock();
    const node = await startNode(store.open(clock), clock, { absoluteMs: minute, guests: "create" });
    const socket = await node.browser().connect(namespace, { transports });
    await clock.advance(30 * second);
    expect(await socket.emitWithAck("increment")).toBe(1);
    expect(await socket.emitWithAck("expiresAt")).toEqual(about(clock.now() + minute));
  });
});

describeStores("an absolute life time in real time", ({ store, namespace }) => {
  test("is over while the session is used", async () => {
    const world = await startWorld({
      store: store.open(),
      absoluteMs: 3 * second,
      cookie: { maxAge: hour },
      touchIntervalMs: 0,
      sockets: (io) => installHandlers(io),
    });
    onTestFinished(() => world.close());
    const ada = await world.visitor();
    const socket = await ada.connect(namespace, { transports: ["websocket"] });
    const end = endOf(socket);
    const used = (async () => {
      while (socket.connected) await Promise.race([socket.emitWithAck("read"), end]);
    })();
    expect(await end).toEqual({ reason: "expired" });
    await used;
    expect(await dataOf(ada)).toEqual({});
  });
});

describeStores("the deadline with an absolute life time", ({ store, namespace }) => {
  test.each([
    ["of a session with a life time of its own", { maxAge: 30 * day }],
    ["of one without", {}],
  ])("%s is the earlier of the two", async (_name, cookie) => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const lives = { ttlMs: 2 * hour, cookie };
    const node = await startNode(opened, clock, { ...lives, absoluteMs: hour });
    const ada = await node.visitor();
    const deadline = about(clock.now() + hour);
    expect(await deadlineOf(ada)).toEqual(deadline);
    const unlimited = await startNode(opened, clock, lives); // which shows the store's own deadline
    expect(await deadlineOf(ada.at(unlimited.url))).toEqual(deadline);
  });

  test("of a session that is used less often is the idle one", async () => {
    const clock = new ManualClock();
    const node = await startNode(store.open(clock), clock, { absoluteMs: hour, cookie: { maxAge: minute } });
    const ada = await node.visitor();
    expect(await deadlineOf(ada)).toBeLessThanOrEqual(clock.now() + minute);
    await expect(ada.connect(namespace)).resolves.toBeDefined();
  });

  test("is earlier with a shorter option, at the next use, and a session past it is over everywhere", async () => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const before = await startNode(opened, clock, { absoluteMs: hour });
    const [ada, eve] = [await before.visitor({ name: "ada" }), await before.visitor({ name: "eve" })];
    await clock.advance(20 * second);
    const after = await startNode(opened, clock, { absoluteMs: minute });
    expect(await deadlineOf(ada.at(after.url))).toEqual(about(clock.now() + 40 * second));
    await clock.advance(40 * second);
    expect(await dataOf(ada.at(after.url))).toEqual({});
    expect(await dataOf(ada)).toEqual({});
    const refusal = new Promise((resolve) => after.sessions.once("refuse", ({ code }) => resolve(code)));
    eve.at(after.url).socket(namespace, { reconnection: false });
    expect(await refusal).toBe("SESSION_ENDED");
    expect(await dataOf(eve)).toEqual({});
  });

  test("is later with a longer option, at the next use", async () => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const before = await startNode(opened, clock, { absoluteMs: minute });
    const ada = await before.visitor();
    const started = clock.now();
    await clock.advance(50 * second);
    const after = await startNode(opened, clock, { absoluteMs: hour });
    await ada.at(after.url).get("/session");
    await clock.advance(50 * second);
    expect(await dataOf(ada.at(after.url))).toEqual({ name: "ada" });
    expect(await deadlineOf(ada.at(after.url))).toEqual(about(started + hour));
  });
});

describe("an application", () => {
  test.each(transportKinds)("sees no start of its session, by $name", async ({ transports }) => {
    const clock = new ManualClock();
    const seen: unknown[] = [];
    const node = await startNode(memoryStore({ clock }), clock, {
      absoluteMs: minute,
      userId: (data) => {
        seen.push({ ...data });
        return data.userId;
      },
    });
    const ada = await node.visitor({ name: "ada", userId: "ada" });
    node.sessions.on("change", (change) => seen.push(change));
    node.sessions.on("conflict", (conflict) => seen.push(conflict));
    const socket = await ada.connect("/", { transports: [...transports] });
    await socket.emitWithAck("increment");
    await ada.post("/write", { m: 1 });
    seen.push(await socket.emitWithAck("read"), await dataOf(ada), await node.sessions.user("ada").list());
    const listed = await new Promise<unknown>((resolve) => {
      node.sessions.store().all?.((_error, all) => resolve(all));
    });
    seen.push(listed);
    expect(JSON.stringify(seen)).toContain('"m":1');
    expect(JSON.stringify(seen)).not.toContain("Started");
  });

  test("can't move it by a value of its own", async () => {
    const clock = new ManualClock();
    const node = await startNode(memoryStore({ clock }), clock, {
      absoluteMs: minute,
    });
    const ada = await node.visitor();
    const deadline = clock.now() + minute;
    await clock.advance(second);
    await ada.post("/write", { socketSessionStartedAt: clock.now() + hour, m: 1 });
    expect(await deadlineOf(ada)).toEqual(about(deadline));
    expect(await dataOf(ada)).toEqual({ name: "ada", m: 1 });
  });
});
