/** `GET /state` and `POST /renew` of `sessions.routes()`. What all routes share: `test/session-routes.test.ts`. */
import type { CookieOptions } from "express-session";
import { Server } from "socket.io";
import type { SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { type Browser, connected } from "./support/browser.ts";
import { ManualClock } from "./support/manual-clock.ts";
import { statesOf } from "./support/states.ts";
import { startWorld, type World, type WorldOptions } from "./support/world.ts";

const hour = 3_600_000;
/** `express-session` sometimes loses a millisecond of a life time. */
const almost = (ms: number): unknown => expect.closeTo(ms, -2);

async function start(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({
    attach: { share: ({ name }) => ({ name }) },
    ...options,
    routes: (app, sessions) => {
      options.routes?.(app, sessions);
      app.use("/session", sessions.routes());
    },
  });
  onTestFinished(() => world.close());
  return world;
}

interface Answer {
  readonly status: number;
  readonly body: ReturnType<typeof JSON.parse>;
  /** The lines of `Set-Cookie`. */
  readonly cookies: readonly string[];
}

async function ask(browser: Browser, method: string, path: string, headers = {}): Promise<Answer> {
  const response = await fetch(`${browser.url}/session${path}`, {
    method,
    headers: { ...headers, ...(browser.cookie && { cookie: browser.cookie }) },
  });
  const text = await response.text();
  const cookies = response.headers.getSetCookie();
  browser.keep(cookies);
  return { status: response.status, body: text && JSON.parse(text), cookies };
}

const renew = (browser: Browser, headers = {}) => ask(browser, "POST", "/renew", headers);
const stateOf = (browser: Browser) => ask(browser, "GET", "/state");
const refused = (code: string) => ({ message: expect.any(String), data: { code } });

/** A store whose next `touch` waits for `goOn` once the database has done it; `arrived` resolves when it waits. */
function holdingTouch() {
  const store = memoryStore();
  const touch = store.touch.bind(store);
  const [arrived, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let isHolding = false;
  const holding: SessionStore["touch"] = async (...args) => {
    const isStored = await touch(...args);
    if (isHolding) {
      isHolding = false;
      arrived.resolve();
      await goOn.promise;
    }
    return isStored;
  };
  const hold = () => {
    isHolding = true;
  };
  return {
    store: Object.assign(store, { touch: holding }),
    hold,
    arrived: arrived.promise,
    goOn: goOn.resolve,
  };
}

describe("GET /state", () => {
  test("answers with the state, as a socket is told, and neither extends the session nor sets its cookie", async () => {
    const clock = new ManualClock();
    const store = memoryStore({ clock });
    const world = await start({ store, clock, touchIntervalMs: 0, rolling: true, cookie: { maxAge: hour } });
    const ada = await world.visitor({ name: "ada" });
    const socket = ada.socket();
    const states = statesOf(socket);
    await connected(socket);
    await expect.poll(() => states.length).toBe(1);
    socket.disconnect();
    const { touches } = world.sessions.stats();
    await clock.advance(1_000);
    const { status, body, cookies } = await stateOf(ada);
    expect([status, cookies]).toEqual([200, []]);
    expect(body).toEqual({ ...states[0], leftMs: expect.closeTo(hour - 1_000, -2) });
    expect(world.sessions.stats().touches).toBe(touches);
  });

  test("answers a HEAD as well, without the body", async () => {
    const ada = await (await start()).visitor();
    expect(await ask(ada, "HEAD", "/state")).toEqual({ status: 200, body: "", cookies: [] });
  });

  test("answers 401 without a session, which is no refusal; 200 to guests where they are let in", async () => {
    for (const guests of ["refuse", "allow", "create"] as const) {
      const world = await start({ guests });
      const out = await world.visitor();
      const { cookie } = out;
      await out.post("/logout");
      const cases = { SESSION_REQUIRED: "", SESSION_ENDED: cookie, SESSION_INVALID: "sid=s%3Ax.y" };
      for (const [code, header] of Object.entries(cases)) {
        const visitor = world.browser();
        visitor.cookie = header;
        const isGuest = guests !== "refuse" && code !== "SESSION_INVALID";
        const expected = isGuest ? [200, { state: "guest" }] : [401, refused(code)];
        const { status, body } = await stateOf(visitor);
        expect([status, body]).toEqual(expected);
        expect(world.sessions.stats().refused[code as keyof typeof cases]).toBe(0);
      }
    }
  });

  test("makes no session, and ends none", async () => {
    const world = await start({ saveUninitialized: true, unset: "destroy" });
    const eve = world.browser();
    expect(await stateOf(eve)).toMatchObject({ status: 401, cookies: [] });
    const ada = await world.visitor({ name: "ada" });
    for (let n = 0; n < 2; n++) expect((await stateOf(ada)).body).toMatchObject({ data: { name: "ada" } });
  });

  test("lets the application's own change of the session be saved", async () => {
    const world = await start({
      routes: (app) =>
        app.use((req, _res, next) => {
          req.session.m = (req.session.m ?? 0) + 1;
          next();
        }),
    });
    const ada = await world.visitor({ name: "ada" });
    await stateOf(ada);
    await stateOf(ada);
    expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", m: 2 });
  });

  test("has the data of the server attached last with `share`, and none without", async () => {
    const world = await start({ attach: {} });
    const ada = await world.visitor({ name: "ada" });
    const { body } = await stateOf(ada);
    expect(Object.keys(body).sort()).toEqual(["leftMs", "publicId", "state"]);
    world.sessions.attach(new Server(), { share: () => "first" });
    world.sessions.attach(new Server(), { share: () => "second" });
    world.sessions.attach(new Server());
    expect((await stateOf(ada)).body.data).toBe("second");
  });
});

describe("POST /renew", () => {
  /** The attributes of a cookie that two responses set, without the time. */
  const shape = (line = "") =>
    line
      .replace(/Expires=[^;]*/, "Expires")
      .split("; ")
      .sort();

  test("is activity, and answers with the state: sockets are told, and the session goes on", async () => {
    const clock = new ManualClock();
    const world = await start({ store: memoryStore({ clock }), clock, ttlMs: hour });
    const ada = await world.visitor({ name: "ada" });
    const socket = ada.socket();
    const states = statesOf(socket);
    await connected(socket);
    await clock.advance(hour - 1_000);
    const { status, body, cookies } = await renew(ada);
    expect([status, cookies]).toEqual([200, []]); // the browser keeps the cookie until it is closed
    const told = { state: "live", publicId: expect.any(String), leftMs: hour, data: { name: "ada" } };
    expect(body).toEqual(told);
    await expect.poll(() => states.at(-1)).toEqual(told);
    await clock.advance(hour - 1_000);
    expect((await stateOf(ada)).body).toMatchObject({ leftMs: 1_000 });
  });

  test("touches the store no more often than other activity, and sets the cookie all the same", async () => {
    const world = await start({ cookie: { maxAge: hour } });
    const ada = await world.visitor();
    const { touches } = world.sessions.stats();
    for (let n = 0; n < 2; n++) expect((await renew(ada)).cookies).toHaveLength(1);
    expect(world.sessions.stats().touches).toBe(touches);
  });

  test("holds its answer for no second touch: the cookie of a login in between would be lost", async () => {
    for (const rolling of [false, true]) {
      const world = await start({ touchIntervalMs: 0, rolling, cookie: { maxAge: hour } });
      const ada = await world.visitor();
      const { touches } = world.sessions.stats();
      expect((await renew(ada)).cookies).toHaveLength(1);
      expect(world.sessions.stats().touches).toBe(touches + 1);
    }
  });

  test.each<[string, CookieOptions | ((req: { url?: string }) => CookieOptions), object]>([
    ["the options", { maxAge: hour, domain: "example.com", path: "/", sameSite: "strict" }, {}],
    ["a function", () => ({ maxAge: hour, httpOnly: false }), {}],
    [
      "https behind a proxy",
      { maxAge: hour, secure: true, sameSite: "none", partitioned: true },
      { "x-forwarded-proto": "https" },
    ],
    ["https found out", { maxAge: hour, secure: "auto" }, { "x-forwarded-proto": "https" }],
  ])("sets the cookie as the login did, with its full life time: by %s", async (_name, cookie, headers) => {
    const world = await start({ cookie, proxy: true });
    const login = await fetch(`${world.url}/login`, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify({ name: "ada" }),
    });
    const [made] = login.headers.getSetCookie();
    const ada = world.browser();
    ada.cookie = made?.split(";")[0] ?? "";
    const before = Date.now();
    const { status, body, cookies } = await renew(ada, headers);
    expect([status, body.cookieMs]).toEqual([200, almost(hour)]);
    expect(cookies.map(shape)).toEqual([shape(made)]);
    const expires = Date.parse(/Expires=([^;]*)/.exec(cookies[0] ?? "")?.[1] ?? "");
    expect(expires).toBeGreaterThanOrEqual(before + hour - 1_000);
  });

  test("sets the cookie of a session that is to be remembered longer for as long", async () => {
    const world = await start({
      cookie: { maxAge: hour },
      routes: (app) =>
        app.post("/remember", (req, res) => {
          req.session.cookie.maxAge = 24 * hour;
          res.send("remembered");
        }),
    });
    const ada = await world.visitor();
    await ada.post("/remember");
    const { body, cookies } = await renew(ada);
    expect(body).toMatchObject({ cookieMs: almost(24 * hour), leftMs: expect.closeTo(24 * hour, -5) });
    const expires = Date.parse(/Expires=([^;]*)/.exec(cookies[0] ?? "")?.[1] ?? "");
    expect(expires).toBeGreaterThan(Date.now() + 23 * hour);
  });

  test("sets the cookie for its full life time, and not for what was left of it", async () => {
    onTestFinished(() => void vi.useRealTimers());
    vi.useFakeTimers({ toFake: ["Date"] });
    const world = await start({ cookie: { maxAge: hour }, touchIntervalMs: hour });
    const ada = await world.visitor();
    vi.setSystemTime(Date.now() + 300_000); // too soon for a touch
    const { body, cookies } = await renew(ada);
    expect(body.leftMs).toBe(hour - 300_000);
    expect(cookies[0]).toContain(`Expires=${new Date(Date.now() + hour).toUTCString()}`);
  });

  test("sets one cookie, also where `rolling` would set one anyway", async () => {
    const world = await start({ cookie: { maxAge: hour }, rolling: true });
    expect((await renew(await world.visitor())).cookies).toHaveLength(1);
  });

  test("signs with the newest secret", async () => {
    const store = memoryStore();
    const [older, newer] = ["an older secret of 32 characters..", "a newer secret of 32 characters.."];
    const before = await start({ store, secret: older, cookie: { maxAge: hour } });
    const after = await start({ store, secret: [newer, older], cookie: { maxAge: hour } });
    const ada = await before.visitor({ name: "ada" });
    const { cookie } = ada;
    await renew(ada.at(after.url));
    expect(ada.cookie).not.toBe(cookie);
    expect((await renew(ada.at(after.url))).body).toMatchObject({ data: { name: "ada" } });
    expect(await renew(ada)).toMatchObject({ status: 401, body: refused("SESSION_INVALID") });
  });

  test("answers 401 without a session, guests or not, and sets no cookie", async () => {
    for (const guests of ["refuse", "allow", "create"] as const) {
      const world = await start({ guests, rolling: true, cookie: { maxAge: hour } });
      const out = await world.visitor();
      const { cookie } = out;
      await out.post("/logout");
      out.cookie = cookie;
      for (const [visitor, code] of [
        [world.browser(), "SESSION_REQUIRED"],
        [out, "SESSION_ENDED"],
      ] as const)
        expect(await renew(visitor)).toEqual({ status: 401, body: refused(code), cookies: [] });
      expect(world.sessions.stats().refused).toMatchObject({ SESSION_REQUIRED: 1, SESSION_ENDED: 1 });
    }
  });

  test("by a page that may not connect is no activity, and sets no cookie", async () => {
    const world = await start({ cookie: { maxAge: hour }, rolling: true, touchIntervalMs: 0 });
    const ada = await world.visitor();
    const { touches } = world.sessions.stats();
    const { status, cookies } = await renew(ada, { origin: "https://stranger.example" });
    expect([status, cookies, world.sessions.stats().touches]).toEqual([403, [], touches]);
  });

  test.each([
    ["a logout", "/logout"],
    ["sessions.logout()", "/new-logout"],
    ["a login", "/login"],
  ])("that %s overtakes sets no cookie, whatever else sets one", async (_name, path) => {
    for (const rolling of [false, true]) {
      const { store, hold, arrived, goOn } = holdingTouch();
      const world = await start({
        ...{ store, rolling, cookie: { maxAge: hour }, touchIntervalMs: 0 },
        routes: (app, sessions) => {
          app.post("/new-logout", async (req, res) => res.json(await sessions.logout(req, res)));
        },
      });
      const ada = await world.visitor({ name: "ada" });
      hold();
      const late = renew(ada);
      await arrived;
      await ada.post(path, { name: "lovelace" });
      const { cookie } = ada;
      goOn();
      expect(await late).toMatchObject({ status: 401, body: refused("SESSION_ENDED"), cookies: [] });
      expect(ada.cookie).toBe(cookie);
    }
  });

  test("of a session that another node has ended sets no cookie", async () => {
    const { store, hold, arrived, goOn } = holdingTouch();
    const options = { store, rolling: true, cookie: { maxAge: hour }, touchIntervalMs: 0 };
    const [here, there] = [await start(options), await start(options)];
    const ada = await here.visitor({ name: "ada" });
    hold();
    const late = renew(ada);
    await arrived;
    await ada.at(there.url).post("/logout");
    goOn();
    expect(await late).toMatchObject({ status: 401, cookies: [] });
  });

  test("answers 503 while the store fails, and sets no cookie", async () => {
    const store = memoryStore();
    const world = await start({ store, rolling: true, cookie: { maxAge: hour }, touchIntervalMs: 0 });
    const ada = await world.visitor();
    store.touch = () => Promise.reject(new Error("down"));
    expect(await renew(ada)).toEqual({ status: 503, body: refused("STORE_UNAVAILABLE"), cookies: [] });
    expect(world.errors).toMatchObject([{ code: "STORE_FAILED" }]);
  });
});
