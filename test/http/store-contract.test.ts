import { EventEmitter, once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { Browser, refused } from "../support/browser.ts";
import { installHandlers, serverSockets } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeStores } from "../support/matrix.ts";
import { spyStore } from "../support/spy-store.ts";
import { secret, startWorld, type World } from "../support/world.ts";

let world: World | undefined;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const close of closing.splice(0)) await close();
});

type Answer = [error: unknown, value?: unknown];
const call = (run: (callback: (...answer: unknown[]) => void) => void) =>
  new Promise<Answer>((resolve) => run((error, value) => resolve([error, value])));

const cookie = () =>
  ({ originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() }) as never;

describeStores("the express-session store contract", ({ store }) => {
  function open(): { sessions: LiveSessions; facade: session.Store } {
    const sessions = liveSessions({ store: store.open(), secret });
    sessions.on("error", () => {});
    closing.push(() => sessions.close());
    return { sessions, facade: sessions.store() };
  }

  test("get, set, touch, destroy: callbacks of express-session's kind, never within the call", async () => {
    const { facade } = open();
    expect(facade).toBeInstanceOf(session.Store);
    expect(facade).toBeInstanceOf(EventEmitter);
    let sync = true;
    const early: boolean[] = [];
    facade.get("a", () => early.push(sync));
    sync = false;
    expect(await call((done) => facade.get("a", done))).toEqual([null, null]);
    await expect.poll(() => early).toEqual([false]);
    expect(await call((done) => facade.set("a", { cookie: cookie(), n: 1 }, done))).toEqual([
      null,
      undefined,
    ]);
    expect(await call((done) => facade.get("a", done))).toMatchObject([
      null,
      { n: 1, cookie: { originalMaxAge: 60_000 } },
    ]);
    expect(await call((done) => facade.touch?.("a", { cookie: cookie() } as never, done))).toEqual([
      null,
      undefined,
    ]);
    expect(await call((done) => facade.destroy("a", done))).toEqual([null, undefined]);
    expect(await call((done) => facade.get("a", done))).toEqual([null, null]);
    expect(await call((done) => facade.destroy("a", done))).toEqual([null, undefined]);
    expect(await call((done) => facade.touch?.("a", { cookie: cookie() } as never, done))).toEqual([
      null,
      undefined,
    ]);
    expect(await call((done) => facade.get("a", done))).toEqual([null, null]); // a touch makes nothing
  });

  test("callbacks are optional, as in express-session", async () => {
    const { facade } = open();
    facade.set("a", { cookie: cookie(), n: 1 });
    facade.touch?.("a", { cookie: cookie() } as never);
    await expect.poll(async () => (await call((done) => facade.get("a", done)))[1]).toMatchObject({ n: 1 });
    facade.destroy("a");
    await expect.poll(async () => (await call((done) => facade.get("a", done)))[1]).toBeNull();
  });

  test("all, length and clear, if the store has them; clear ends live sessions", async () => {
    world = await startWorld({ store: store.open(), sockets: (io) => installHandlers(io) });
    const facade = world.sessions.store();
    const ada = await world.visitor({ name: "ada" });
    const eve = await world.visitor({ name: "eve" });
    await ada.connect();
    await eve.connect();
    const [, all] = await call((done) => facade.all?.(done));
    expect(
      Object.values(all as object)
        .map(({ name }) => name)
        .sort(),
    ).toEqual(["ada", "eve"]);
    expect(await call((done) => facade.length?.(done))).toEqual([null, 2]);
    expect(await call((done) => facade.clear?.(done))).toEqual([null, undefined]);
    expect(await call((done) => facade.length?.(done))).toEqual([null, 0]);
    await expect.poll(() => serverSockets(world?.io as never)).toEqual([]);
  });

  test("get, change, set of a plain object merges and never revives", async () => {
    const { facade, sessions } = open();
    await call((done) => facade.set("a", { cookie: cookie(), n: 1, m: 1 }, done));
    const [, mine] = (await call((done) => facade.get("a", done))) as [unknown, session.SessionData];
    const [, other] = (await call((done) => facade.get("a", done))) as [unknown, session.SessionData];
    other.m = 2;
    await call((done) => facade.set("a", other, done));
    mine.n = 2;
    await call((done) => facade.set("a", mine, done));
    expect((await call((done) => facade.get("a", done)))[1]).toMatchObject({ n: 2, m: 2 });
    await sessions.end("a");
    expect((await call((done) => facade.set("a", mine, done)))[0]).toMatchObject({ code: "SESSION_ENDED" });
    expect((await call((done) => facade.set("a", { ...mine }, done)))[0]).toMatchObject({
      code: "SESSION_ENDED",
    });
    expect((await call((done) => facade.get("a", done)))[1]).toBeNull();
  });

  test("load gives a Session that works without HTTP: save, reload, touch, destroy", async () => {
    const { facade } = open();
    await call((done) => facade.set("a", { cookie: cookie(), n: 1 }, done));
    const [, loaded] = (await call((done) => facade.load("a", done))) as [
      unknown,
      session.Session & session.SessionData,
    ];
    expect(loaded.id).toBe("a");
    loaded.n = 2;
    await call((done) => loaded.save(done));
    expect((await call((done) => facade.get("a", done)))[1]).toMatchObject({ n: 2 });
    await call((done) => loaded.reload(done));
    await call((done) => facade.destroy("a", done));
    loaded.n = 3;
    expect((await call((done) => loaded.save(done)))[0]).toMatchObject({ code: "SESSION_ENDED" });
    expect((await call((done) => facade.load("a", done)))[1]).toBeUndefined();
  });

  test("keys that express-session cannot carry stay in the store when a request saves", async () => {
    const { facade } = open();
    const hostile = JSON.parse('{"save":1,"id":2,"constructor":3,"__proto__":{"x":1},"touch":4,"n":1}');
    await call((done) => facade.set("a", Object.assign(hostile, { cookie: cookie() }), done));
    const [, loaded] = (await call((done) => facade.load("a", done))) as [
      unknown,
      session.Session & session.SessionData,
    ];
    loaded.n = 2;
    await call((done) => loaded.save(done));
    const [, kept] = await call((done) => facade.get("a", done));
    expect(Object.keys(kept as object).sort()).toEqual([
      "__proto__",
      "constructor",
      "cookie",
      "id",
      "n",
      "save",
      "touch",
    ]);
  });
});

describe("a middleware made elsewhere, with sessions.store()", () => {
  test("gets the same guarantees beside our own; each has its own generate", async () => {
    const sessions = liveSessions({ store: memoryStore(), secret, name: "sid" });
    closing.push(() => sessions.close());
    const app = express();
    const elsewhere = session({
      store: sessions.store(),
      secret,
      name: "sid",
      resave: false,
      saveUninitialized: false,
      genid: () => `elsewhere-${Math.random()}`,
    });
    app.use("/own", sessions.express());
    app.use("/other", elsewhere);
    app.use("/late", elsewhere);
    app.get(["/own", "/other"], (req, res) => void res.json({ id: req.sessionID, n: req.session.n ?? 0 }));
    app.post("/other/set", (req, res) => {
      req.session.n = 1;
      res.json({ id: req.sessionID });
    });
    app.post("/own/regenerate", (req, res) => {
      req.session.regenerate(() => res.json({ id: req.sessionID }));
    });
    app.post("/late", async (req, res) => {
      await sessions.end(req.sessionID);
      req.session.n = 99;
      res.send("quietly dropped");
    });
    const server = createServer(app);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => server.close());
    const browser = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    expect(JSON.parse(await browser.post("/other/set")).id).toMatch(/^elsewhere-/);
    expect(JSON.parse(await browser.get("/own"))).toMatchObject({ n: 1 });
    expect(JSON.parse(await browser.post("/own/regenerate")).id).not.toMatch(/^elsewhere-/);
    await browser.post("/other/set");
    expect(await browser.post("/late")).toBe("quietly dropped");
    expect(JSON.parse(await browser.get("/other"))).toMatchObject({ n: 0 });
    expect(sessions.stats().discarded).toBe(1);
  });

  test("a wrapped store's disconnect and connect reach express-session", async () => {
    const store = new session.MemoryStore();
    world = await startWorld({
      store,
      routes: (app) => app.get("/has", (req, res) => void res.send(String("session" in req))),
    });
    expect(await world.browser().get("/has")).toBe("true");
    store.emit("disconnect");
    expect(await world.browser().get("/has")).toBe("false");
    store.emit("connect");
    expect(await world.browser().get("/has")).toBe("true");
  });
});

describe("options of express-session keep their meaning", () => {
  const start = async (options: object) => {
    world = await startWorld({
      ...options,
      routes: (app) => app.get("/nothing", (_req, res) => void res.send("nothing")),
    });
    return world.browser();
  };

  test("saveUninitialized is false by default", async () => {
    const plain = await start({});
    await plain.get("/nothing");
    expect(plain.cookie).toBe("");
    await world?.close();
    const all = await start({ saveUninitialized: true });
    await all.get("/nothing");
    expect(all.cookie).toMatch(/^sid=/);
  });

  test("name, or key as its old alias", async () => {
    const browser = await start({ name: undefined, key: "old" });
    await browser.post("/write", { n: 1 });
    expect(browser.cookie).toMatch(/^old=/);
    await browser.connect();
  });

  test("cookie as a function, genid, rolling, unset", async () => {
    const browser = await start({
      cookie: (req: { path: string }) => ({ path: "/", maxAge: req.path === "/write" ? 1000 : 2000 }),
      genid: () => "a made-up id",
      rolling: true,
      unset: "destroy",
    });
    await browser.post("/write", { n: 1 });
    expect(JSON.parse(await browser.get("/session")).id).toBe("a made-up id");
    const response = await fetch(`${world?.url}/nothing`, { headers: { cookie: browser.cookie } });
    expect(response.headers.getSetCookie()[0]).toContain("sid=");
    await response.text();
  });

  test.each([
    [true, true],
    [false, false],
    [undefined, false],
  ])("proxy: %s decides whether X-Forwarded-Proto makes a request secure", async (proxy, isSecure) => {
    await start({ proxy, cookie: { secure: "auto" } });
    const response = await fetch(`${world?.url}/write`, {
      method: "POST",
      headers: { "content-type": "application/json", "x-forwarded-proto": "https" },
      body: '{"n":1}',
    });
    await response.text();
    expect(response.headers.getSetCookie()[0]?.includes("Secure")).toBe(isSecure);
  });

  test("unset: destroy ends the session and its sockets", async () => {
    world = await startWorld({
      unset: "destroy",
      routes: (app) =>
        app.post("/unset", (req, res) => {
          Reflect.set(req, "session", null);
          res.send("gone");
        }),
    });
    const ada = await world.visitor();
    const { cookie: before } = ada;
    const socket = await ada.connect();
    const gone = new Promise((resolve) => socket.once("disconnect", resolve));
    await ada.post("/unset");
    expect(await gone).toBe("io server disconnect");
    ada.cookie = before;
    expect((await refused(ada.socket())).data).toEqual({ code: "SESSION_ENDED" });
  });

  test("secrets rotate: the first signs, all verify, on both sides", async () => {
    const store = memoryStore();
    const old = await startWorld({ store, secret: "the old secret" });
    const ada = await old.visitor({ name: "ada" });
    await old.close();
    world = await startWorld({
      store,
      secret: ["the new secret", "the old secret"],
      sockets: (io) => installHandlers(io),
    });
    const later = world.browser();
    later.cookie = ada.cookie;
    expect(JSON.parse(await later.get("/session")).data).toEqual({ name: "ada" });
    const socket = await later.connect();
    expect(await socket.emitWithAck("read")).toEqual({ name: "ada" });
  });
});

test("a response whose touch is not due leaves in one piece; an application's own touch is answered later", async () => {
  const sessions = liveSessions({ store: memoryStore(), secret });
  closing.push(() => sessions.close());
  const app = express();
  const writes: string[] = [];
  app.use((_request, response, next) => {
    const write = response.write.bind(response);
    response.write = (piece: unknown) => {
      writes.push(String(piece));
      return write(piece);
    };
    next();
  });
  app.use(sessions.express());
  app.get("/login", (request, response) => {
    request.session.name = "ada";
    response.json({ name: "ada" });
  });
  app.get("/name", (request, response) => void response.json({ name: request.session.name }));
  app.get("/touch", (request, response) => {
    const order: string[] = [];
    request.sessionStore.touch?.(request.sessionID, request.session, () => {
      order.push("answered");
      response.json(order);
    });
    order.push("called");
  });
  const server = createServer(app).listen();
  closing.push(() => server.close());
  await once(server, "listening");
  const page = new Browser(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  await page.get("/login");
  writes.length = 0;
  expect(await page.get("/name")).toBe('{"name":"ada"}');
  expect(await page.get("/touch")).toBe('["called","answered"]');
  expect(writes).toEqual([]);
});

test("a touch is due although express-session has lost a millisecond of the session's life", async () => {
  const clock = new ManualClock();
  const spy = spyStore(memoryStore({ clock }));
  const sessions = liveSessions({ store: spy, secret, clock, touchIntervalMs: 0 });
  closing.push(() => sessions.close());
  const facade = sessions.store();
  await call((done) => facade.set("a", { cookie: cookie(), n: 1 }, done));
  const [, loaded] = await call((done) => facade.load("a", done));
  const session = loaded as session.Session & session.SessionData;
  session.cookie.originalMaxAge = 59_999;
  await call((done) => facade.touch?.("a", session, done));
  expect(spy.calls.touch).toBe(1);
});
