import type session from "express-session";
import { Cookie } from "express-session";
import { type LiveSessions, liveSessions } from "socket-session";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { disconnected } from "../support/browser.ts";
import { installHandlers } from "../support/handlers.ts";
import { describeStores } from "../support/matrix.ts";
import { secret, startWorld, type World } from "../support/world.ts";

const MINUTE = 60_000;

let world: World | undefined;
let sessions: LiveSessions | undefined;
afterEach(async () => {
  await world?.close();
  await sessions?.close();
  world = sessions = undefined;
});

type Answer = [error: unknown, value?: unknown];
const call = (run: (callback: (...answer: unknown[]) => void) => void) =>
  new Promise<Answer>((resolve) => run((error, value) => resolve([error, value])));

const at = (ms: number) => new Date(Date.now() + ms);

describeStores("the arguments of store()", ({ store }) => {
  function open(options: object = {}): session.Store {
    sessions = liveSessions({ store: store.open(), secret, ...options });
    sessions.on("error", () => {});
    return sessions.store();
  }
  const set = async (facade: session.Store, data: object, sid = "a") =>
    (await call((done) => facade.set(sid, data as never, done)))[0];
  const get = async (facade: session.Store, sid = "a") =>
    (await call((done) => facade.get(sid, done)))[1] as session.SessionData | null;

  test.each([undefined, null, 7, {}])("an id that is %s is refused", async (sid) => {
    const facade = open();
    const data = { cookie: {}, n: 1 } as never;
    const answers = [
      await call((done) => facade.get(sid as never, done)),
      await call((done) => facade.set(sid as never, data, done)),
      await call((done) => facade.touch?.(sid as never, data, done)),
      await call((done) => facade.destroy(sid as never, done)),
      await call((done) => facade.load(sid as never, done)),
    ];
    for (const [error] of answers)
      expect(error).toMatchObject({
        code: "INVALID_OPTION",
        message: /expects the id of a session, a string/,
      });
    facade.set(sid as never, data); // nobody waits
    facade.destroy(sid as never);
    expect(await call((done) => facade.all?.(done))).toEqual([null, []]);
  });

  test.each([
    ...[undefined, null, "text", 7, [], () => {}],
    ...[new Map([["n", 1]]), new Set(), new Date(), Promise.resolve({ n: 1 })],
  ])("a session that is %s is refused", async (data) => {
    const facade = open();
    await set(facade, { cookie: { maxAge: MINUTE }, n: 1 });
    for (const method of ["set", "touch"] as const) {
      const [error] = await call((done) => facade[method]?.("a", data as never, done));
      expect(error).toMatchObject({ code: "SESSION_INVALID_DATA", message: /expects a session, an object/ });
    }
    expect(await get(facade)).toMatchObject({ n: 1 });
  });

  test("an object without prototype is a session, and so is what createSession() makes", async () => {
    const facade = open();
    const cookie = { maxAge: MINUTE };
    expect(await set(facade, Object.assign(Object.create(null), { cookie, n: 1 }))).toBeNull();
    expect(await get(facade)).toMatchObject({ n: 1 });
    const made = facade.createSession({ sessionID: "b" } as never, { cookie, n: 2 } as never);
    expect(await set(facade, made, "b")).toBeNull();
    expect(await get(facade, "b")).toMatchObject({ n: 2 });
  });

  test.each(["60000", true, {}, [], new Date()])(
    "a life time that is %j is refused",
    async (originalMaxAge) => {
      const facade = open();
      await set(facade, { cookie: { maxAge: MINUTE }, n: 1 });
      for (const method of ["set", "touch"] as const) {
        const [error] = await call((done) =>
          facade[method]?.("a", { cookie: { originalMaxAge }, n: 2 } as never, done),
        );
        expect(error).toMatchObject({
          code: "SESSION_INVALID_DATA",
          message: /cookie.originalMaxAge .* number/,
        });
      }
      expect(await get(facade)).toMatchObject({ n: 1 });
    },
  );

  test("a life time that ends later than the latest Date can be read", async () => {
    const facade = open();
    const cookie = { originalMaxAge: 8.64e15, expires: at(MINUTE).toISOString() };
    expect(await set(facade, { cookie, n: 1 })).toBeNull();
    const [error, data] = await call((done) => facade.get("a", done));
    expect(error).toBeNull();
    expect(data).toMatchObject({ n: 1, cookie: { expires: expect.stringMatching(/^\+?\d+-\d\d-\d\dT/) } });
  });

  test("all() gives a list of sessions with their ids", async () => {
    const facade = open();
    for (const sid of ["a", "b"]) await set(facade, { cookie: { maxAge: MINUTE }, name: sid }, sid);
    const [error, all] = await call((done) => facade.all?.(done));
    expect(error).toBeNull();
    expect(all).toHaveLength(2);
    expect(all).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ id: "a", name: "a", cookie: expect.anything() }),
        expect.objectContaining({ id: "b", name: "b" }),
      ]),
    );
  });

  test.each([
    ["originalMaxAge", () => ({ originalMaxAge: 10 * MINUTE, maxAge: 1, expires: at(MINUTE) })],
    ["maxAge", () => ({ maxAge: 10 * MINUTE, expires: at(MINUTE) })],
    ["expires, as a date", () => ({ expires: at(10 * MINUTE) })],
    ["expires, as JSON", () => ({ expires: at(10 * MINUTE).toJSON(), originalMaxAge: null })],
    ["a Cookie", () => Object.assign(new Cookie(), { expires: at(10 * MINUTE) })],
  ])("the life time of a cookie of unknown origin comes from %s", async (_name, cookieOf) => {
    const facade = open();
    for (const n of [1, 2]) {
      expect(await set(facade, { cookie: cookieOf(), n })).toBeNull(); // a new one, and one in its place
      const found = await get(facade);
      expect(found?.n).toBe(n);
      expect(found?.cookie.originalMaxAge).toBeGreaterThan(9.9 * MINUTE);
      expect(found?.cookie.originalMaxAge).toBeLessThanOrEqual(10 * MINUTE);
      const left = new Date(found?.cookie.expires ?? 0).getTime() - Date.now();
      expect(left).toBeGreaterThan(9 * MINUTE);
      expect(left).toBeLessThan(11 * MINUTE);
    }
  });

  test("an expired session is not stored, and ends the session of its id", async () => {
    const overs = [
      { expires: at(-1) },
      { expires: new Date(0).toJSON(), originalMaxAge: MINUTE },
      { maxAge: -1 },
      Object.assign(new Cookie(), { maxAge: 0 }),
    ];
    const facade = open();
    const ends: unknown[] = [];
    sessions?.on("end", ({ reason }) => ends.push(reason));
    for (const cookie of overs) {
      expect(await set(facade, { cookie, n: 1 })).toBeNull();
      expect(await get(facade)).toBeNull();
    }
    expect(ends).toEqual([]);
    for (const [index, cookie] of overs.entries()) {
      const sid = `of ${index}`;
      await set(facade, { cookie: { maxAge: MINUTE } }, sid);
      expect(await set(facade, { cookie, n: 1 }, sid)).toBeNull();
      expect(await get(facade, sid)).toBeNull();
    }
    expect(ends).toEqual(["expired", "expired", "expired", "expired"]);

    await set(facade, { cookie: { maxAge: MINUTE } }, "loaded");
    const loaded = await get(facade, "loaded");
    if (!loaded) throw new Error("not stored");
    Object.assign(loaded.cookie, { expires: at(-1) });
    expect(await set(facade, loaded, "loaded")).toBeNull();
    expect(await get(facade, "loaded")).toBeNull();
  });

  test("a request that moves its cookie's expiry to the past ends its session, and the sockets", async () => {
    world = await startWorld({
      store: store.open(),
      cookie: { maxAge: MINUTE },
      sockets: (io) => installHandlers(io),
      routes: (app) =>
        app.post("/over", (req, res) => {
          req.session.cookie.maxAge = -1;
          res.send("over");
        }),
    });
    const ada = await world.visitor({ name: "ada" });
    const { cookie } = ada;
    const gone = disconnected(await ada.connect());
    await ada.post("/over");
    expect(await gone).toBe("io server disconnect");
    ada.cookie = cookie;
    expect(JSON.parse(await ada.get("/session")).data).toEqual({});
    const fresh = world.browser();
    await fresh.post("/over"); // a session that was never stored
    expect(await call((done) => world?.sessions.store().all?.(done))).toEqual([null, []]);
  });
});

describe("a request that takes longer than the life time of its session", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("stores its new session, and saves one that another request has extended", async () => {
    const ada = () => world?.browser();
    const pass = (ms: number) => vi.setSystemTime(Date.now() + ms);
    world = await startWorld({
      cookie: { maxAge: MINUTE },
      touchIntervalMs: 0,
      routes: (app) =>
        app.post("/slow", async (req, res, next) => {
          pass(0.7 * MINUTE);
          const other = ada();
          if (other) other.cookie = req.headers.cookie ?? "";
          await other?.get("/session");
          pass(0.7 * MINUTE);
          req.session.n = (req.session.n ?? 0) + 1;
          req.session.save((error) => (error ? next(error) : res.send("saved")));
        }),
    });
    const browser = world.browser();
    expect(await browser.post("/slow")).toBe("saved");
    expect(await browser.post("/slow")).toBe("saved");
    expect(JSON.parse(await browser.get("/session")).data).toEqual({ n: 2 });
  });
});
