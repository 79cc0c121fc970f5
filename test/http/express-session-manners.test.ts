/** Behaviour of express-session alone over the same store, which applications rely on. */
import type { ErrorRequestHandler } from "express";
import session from "express-session";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { refused } from "../support/browser.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

let world: World;
let handled: unknown[];
beforeEach(() => {
  handled = [];
});
afterEach(() => world?.close());

type Method = "get" | "set" | "touch" | "destroy";

/** Fails in the method that is named, and counts what it is asked for. */
class FlawedStore extends session.MemoryStore {
  readonly calls: string[] = [];
  readonly failure = Object.assign(new Error("boom!"), { code: "ECONNREFUSED" });
  failing: Method | undefined;

  override get(sid: string, callback: (error?: unknown, data?: session.SessionData | null) => void): void {
    if (!this.#fails("get", callback)) super.get(sid, callback);
  }
  override set(sid: string, data: session.SessionData, callback?: (error?: unknown) => void): void {
    if (!this.#fails("set", callback)) super.set(sid, data, callback);
  }
  override touch(sid: string, data: session.SessionData, callback?: () => void): void {
    if (!this.#fails("touch", callback)) super.touch(sid, data, callback);
  }
  override destroy(sid: string, callback?: (error?: unknown) => void): void {
    if (!this.#fails("destroy", callback)) super.destroy(sid, callback);
  }

  #fails(method: Method, callback: ((error?: unknown) => void) | undefined): boolean {
    this.calls.push(method);
    if (this.failing === method) callback?.(this.failure);
    return this.failing === method;
  }
}

/** As in an application: what reaches Express's error handler is kept. */
function startOver(store: session.Store, options: WorldOptions = {}): Promise<World> {
  const onError: ErrorRequestHandler = (error, _req, res, _next) => {
    handled.push(error);
    if (!res.headersSent) res.status(500).send(error.message);
  };
  return startWorld({
    store,
    touchIntervalMs: 0,
    ...options,
    routes: (app, sessions) => {
      options.routes?.(app, sessions);
      app.post("/save", (req, res, next) =>
        req.session.save((error) => (error ? next(error) : res.send("saved"))),
      );
      app.post("/reload", (req, res, next) =>
        req.session.reload((error) => (error ? next(error) : res.send("read"))),
      );
      app.use(onError);
    },
  });
}

describe("Express's handler gets the store's own error, unchanged", () => {
  test.each([
    ["get", "/session", 500],
    ["get", "/reload", 500],
    ["set", "/write", 200], // it fails when the response has begun
    ["set", "/save", 500],
    ["touch", "/session", 200],
    ["destroy", "/logout", 500],
    ["destroy", "/regenerate", 500],
  ] as const)("of %s, at %s", async (method, path, status) => {
    const store = new FlawedStore();
    world = await startOver(store);
    const ada = await world.visitor({ name: "ada" });
    const isRead = path === "/session";
    store.failing = method;
    const init = isRead
      ? {}
      : { method: "POST", headers: { "content-type": "application/json" }, body: '{"n":1}' };
    const response = await ada.request(path, init);
    await expect.poll(() => handled).toEqual([store.failure]);
    expect(handled[0]).toBe(store.failure);
    expect(response.status).toBe(status);
    if (status === 500) expect(response.body).toBe("boom!");
    expect(world.errors).toEqual([]);
  });

  test("of destroy, where unset: destroy ends the session", async () => {
    const store = new FlawedStore();
    world = await startOver(store, {
      unset: "destroy",
      routes: (app) =>
        app.post("/unset", (req, res) => void res.send(String(Reflect.set(req, "session", null)))),
    });
    const ada = await world.visitor({ name: "ada" });
    store.failing = "destroy";
    await ada.post("/unset");
    await expect.poll(() => handled).toEqual([store.failure]);
  });

  test("but nowhere else: the error of a refused socket names the session by its public id", async () => {
    const store = new FlawedStore();
    world = await startOver(store);
    const ada = await world.visitor({ name: "ada" });
    store.failing = "get";
    await refused(ada.socket("/", { reconnection: false }));
    expect(world.errors).toEqual([expect.objectContaining({ code: "STORE_FAILED", cause: store.failure })]);
  });

  test("of a store of this package is ours, which names no id", async () => {
    const store = memoryStore();
    const failure = new Error("boom!");
    world = await startOver(Object.assign(store, { read: () => Promise.reject(failure) }) as never);
    const ada = world.browser();
    ada.cookie = (await import("cookie-signature")).default.sign("an id", secret).replace(/^/, "sid=s:");
    expect((await ada.request("/session")).status).toBe(500);
    expect(handled).toEqual([expect.objectContaining({ code: "STORE_FAILED", cause: failure })]);
  });
});

test("a session without a cookie in the store is an error, for requests and sockets, until it is destroyed", async () => {
  const store = new FlawedStore();
  world = await startOver(store);
  const ada = await world.visitor({ name: "ada" });
  const { id } = JSON.parse(await ada.get("/session"));
  Reflect.apply(session.MemoryStore.prototype.set, store, [id, { foo: "bar" }]);
  expect(await ada.request("/session")).toMatchObject({ status: 500, body: /Cannot read prop.* `cookie`/ });
  expect(handled).toMatchObject([{ code: "SESSION_UNREADABLE" }]);
  await refused(ada.socket("/", { reconnection: false }));
  expect(await world.sessions.end(id)).toBe(true);
  expect((await ada.request("/session")).status).toBe(200);
});

describe("a new session is stored and replaced without a read", () => {
  test("by the default ids, at its first save, at a login and by update", async () => {
    const store = new FlawedStore();
    world = await startOver(store, { touchIntervalMs: 60_000 });
    await world.browser().post("/write", { n: 1 });
    expect(store.calls.splice(0)).toEqual(["set"]);
    await world.visitor({ name: "ada" }); // regenerates a session that was never stored
    expect(store.calls.splice(0)).toEqual(["destroy", "set"]);
    await world.browser().post("/update");
    expect(store.calls.splice(0)).toEqual(["set"]);
  });

  test("and an id that genid returns again replaces what is stored, as with express-session", async () => {
    const store = new FlawedStore();
    let n = 0;
    world = await startOver(store, { genid: () => `id ${n++ % 2}` });
    const [first, second, third] = [world.browser(), world.browser(), world.browser()];
    await first.post("/write", { n: 1 });
    await second.post("/write", { n: 2 });
    await third.post("/write", { m: 3 });
    expect(JSON.parse(await first.get("/session"))).toEqual({ id: "id 0", data: { m: 3 } });
    expect(await first.post("/update")).toBe("1");
    const fourth = world.browser();
    expect(await fourth.post("/update")).toBe("3"); // begins with what is stored under the id
  });

  test("so stores whose get fails or hangs for an unknown id serve visitors", async () => {
    for (const get of [
      () => {
        throw new SyntaxError('"undefined" is not valid JSON');
      },
      () => {},
    ]) {
      const store = new session.MemoryStore();
      const ownGet = store.get.bind(store);
      const isStored = (sid: string) => Object.hasOwn(Reflect.get(store, "sessions" as never), sid);
      store.get = (sid, callback) => (isStored(sid) ? ownGet(sid, callback) : get());
      world = await startOver(store);
      const ada = world.browser();
      expect(await ada.post("/login", { name: "ada" })).toBe("in");
      expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada" });
      expect(handled).toEqual([]);
      await world.close();
    }
  });
});

test("an explicit save writes the session, even if nothing was changed", async () => {
  const store = new FlawedStore();
  world = await startOver(store, { touchIntervalMs: 60_000 });
  const ada = await world.visitor({ name: "ada" });
  store.calls.length = 0;
  expect(await ada.post("/save")).toBe("saved");
  expect(store.calls.filter((method) => method === "set")).toHaveLength(1);
});

test.each([
  [{ genid: "bogus" }, /genid.*must be a function/],
  [{ unset: "bogus" }, /unset.*"destroy" or "keep".*must be/],
])("%o is refused at once", (options, message) => {
  const make = () => liveSessions({ store: new session.MemoryStore(), secret, ...(options as object) });
  expect(make).toThrow(message);
  expect(make).toThrow(expect.objectContaining({ code: "INVALID_OPTION" }));
});
