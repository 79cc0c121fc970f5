/** `sessions.login(req, data)`. Its effect on sockets, over every store: `test/promises/login.test.ts`. */
import { createServer } from "node:http";
import express, { type Request, type Response } from "express";
import express4 from "express4";
import { type LiveSessions, liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { Browser } from "../support/browser.ts";
import { listen } from "../support/listen.ts";
import { spyStore } from "../support/spy-store.ts";
import { secret, startWorld, type World, type WorldOptions } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** `/new-login` logs in with the request's body; `/state` is the request's session after it, or after its failure. */
async function start(options: WorldOptions = {}): Promise<World> {
  const world = await startWorld({
    ...options,
    routes: (app, sessions) => {
      options.routes?.(app, sessions);
      app.post("/new-login", (req, res, next) => {
        sessions.login(req, req.body).then((session) => {
          const { state, data, publicId } = session;
          const { cookie: _cookie, ...inRequest } = req.session;
          res.json({ state, data, inRequest, isCurrent: publicId === sessions.of(req).publicId });
        }, next);
      });
      const onError: express.ErrorRequestHandler = (error, req, res, _next) => {
        const { cookie: _cookie, ...data } = req.session;
        res.status(error.status).json({ code: error.code, message: error.message, data });
      };
      app.use(onError);
    },
  });
  closing.push(() => world.close());
  return world;
}

const sessionOf = async (browser: Browser) => JSON.parse(await browser.get("/session"));

async function documentsOf({ sessions }: { sessions: LiveSessions }): Promise<Record<string, unknown>[]> {
  const all = await new Promise<unknown>((resolve, reject) => {
    sessions.store().all?.((error, list) => (error ? reject(error) : resolve(list)));
  });
  return JSON.parse(JSON.stringify(all));
}

describe.each([
  ["5", express],
  ["4", express4],
])("a login, on Express %s", (_version, framework) => {
  test("has a new id, and the given data alone; the old session is over", async () => {
    const world = await start({ framework });
    const ada = await world.visitor({ name: "ada", n: 1 });
    const before = await sessionOf(ada);
    const answer = JSON.parse(await ada.post("/new-login", { userId: "7", list: [1] }));
    const data = { userId: "7", list: [1] };
    expect(answer).toEqual({ state: "live", data, inRequest: data, isCurrent: true });
    const after = await sessionOf(ada);
    expect(after).toEqual({ id: expect.not.stringMatching(before.id), data });
    expect((await documentsOf(world)).map(({ id }) => id)).toEqual([after.id]);
  });

  test("of a visitor without a session, who gets one cookie", async () => {
    const world = await start({ framework });
    const ada = world.browser();
    await ada.post("/new-login", { userId: "7" });
    expect((await sessionOf(ada)).data).toEqual({ userId: "7" });
    expect(ada.cookie).toMatch(/^sid=[^;]+$/);
  });

  test("a wrong one is an error for Express, and the visitor's session goes on", async () => {
    const world = await start({ framework });
    const ada = await world.visitor({ name: "ada" });
    const { status, body } = await ada.request("/new-login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"cookie":{"maxAge":1}}',
    });
    expect({ status, body: JSON.parse(body) }).toMatchObject({
      status: 500,
      body: { code: "SESSION_INVALID_DATA", data: { name: "ada" } },
    });
    expect((await sessionOf(ada)).data).toEqual({ name: "ada" });
  });
});

test("on plain node:http", async () => {
  const sessions = liveSessions({ store: memoryStore(), secret });
  const middleware = sessions.express();
  const http = createServer((req, res) => {
    const [request, response] = [req as Request, res as Response];
    middleware(request, response, async () => {
      if (req.url === "/login") await sessions.login(request, { userId: "7" });
      if (req.url === "/logout") await sessions.logout(request, response);
      res.end(request.session?.userId ?? "nobody");
    });
  });
  const ada = new Browser(await listen(http));
  closing.push(
    () => sessions.close(),
    () => http.close(),
  );
  expect(await ada.get("/login")).toBe("7");
  expect(await ada.get("/")).toBe("7");
  expect(await ada.get("/logout")).toBe("nobody");
  expect(ada.cookie).toBe("");
  expect(await ada.get("/")).toBe("nobody");
});

test("stores once, before the answer; what the route then changes is saved as always", async () => {
  const store = spyStore(memoryStore());
  const atAnswer: number[] = [];
  const world = await start({
    store,
    routes: (app, sessions) => {
      app.post("/login-and-more", async (req, res) => {
        await sessions.login(req, { userId: "7" });
        atAnswer.push(store.calls.create);
        if (req.body.n) req.session.n = req.body.n;
        res.send("in");
      });
    },
  });
  const ada = world.browser();
  await ada.post("/login-and-more");
  expect(atAnswer).toEqual([1]);
  expect(store.calls).toMatchObject({ read: 0, create: 1, replace: 0, touch: 0 });
  await ada.post("/login-and-more", { n: 3 });
  expect((await sessionOf(ada)).data).toEqual({ userId: "7", n: 3 });
});

test("a cart is carried over by the application that wants it to be", async () => {
  const world = await start({
    routes: (app, sessions) => {
      app.post("/login-with-cart", async (req, res) => {
        const { list } = req.session;
        await sessions.login(req, { userId: "7", ...(list && { list }) });
        res.send("in");
      });
    },
  });
  const ada = await world.visitor({ name: "guest", list: [1, 2] });
  await ada.post("/login-with-cart");
  expect((await sessionOf(ada)).data).toEqual({ userId: "7", list: [1, 2] });
});

test("the data are copied: what the caller does to its object afterwards is not in the session", async () => {
  const data = { nested: { deep: { value: 1 } } };
  const world = await start({
    routes: (app, sessions) => {
      app.post("/login-and-change", async (req, res) => {
        const login = sessions.login(req, data);
        data.nested.deep.value = 2;
        await login;
        res.send("in");
      });
    },
  });
  const ada = world.browser();
  await ada.post("/login-and-change");
  expect((await sessionOf(ada)).data).toEqual({ nested: { deep: { value: 1 } } });
});

test("an id that genid returns again does not bring in the session that is stored under it", async () => {
  const ids = ["first", "second", "first"];
  const world = await start({ genid: () => ids.shift() ?? "another" });
  await world.browser().post("/write", { name: "eve", n: 1 });
  const ada = world.browser();
  await ada.post("/new-login", { userId: "7" });
  expect(await sessionOf(ada)).toEqual({ id: "first", data: { userId: "7" } });
});

describe("wrong arguments are refused before anything ends", () => {
  const other = liveSessions({ store: memoryStore(), secret });
  closing.push(() => other.close());
  const invalid = "INVALID_OPTION";
  const unkept = "SESSION_INVALID_DATA";
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  type Call = (sessions: LiveSessions, req: Request) => Promise<unknown>;
  const data =
    (value: unknown): Call =>
    (sessions, req) =>
      sessions.login(req, value as never);

  test.each<[string, Call, string, RegExp]>([
    ["no data", data(undefined), invalid, /expects the data of the new session, an object; it was undefined/],
    ["a user's id", data("7"), invalid, /it was a string/],
    ["a list", data(["7"]), invalid, /an object; it was an array/],
    ["a Map", data(new Map([["userId", "7"]])), invalid, /it was an object of Map/],
    ["an empty object", data({}), invalid, /an object with a value/],
    ["a user who was not found", data({ userId: undefined }), invalid, /an object with a value/],
    ["a cookie", data({ userId: "7", cookie: {} }), unkept, /set "cookie", which belongs to express-session/],
    ["a method of the session", data({ save: true }), unkept, /set "save", which belongs/],
    ["the id", data({ id: "7" }), unkept, /set "id", which belongs/],
    ["__proto__", data(JSON.parse('{"__proto__":{}}')), unkept, /which belongs/],
    ["a cycle", data({ cycle }), unkept, /cannot be written as JSON/],
    ["a Set", data({ roles: new Set(["admin"]) }), unkept, /it was, or held, a Set/],
    ["a promise", data({ user: Promise.resolve(7) }), unkept, /it was, or held, a promise/],
    ["too much", data({ big: "x".repeat(3_000) }), unkept, /A session may have 2000 bytes/],
    ["too deep", data({ deep: JSON.parse(`${"[".repeat(70)}${"]".repeat(70)}`) }), unkept, /64 levels deep/],
    [
      "a callback",
      (sessions, req) => sessions.login(req, (() => {}) as never),
      invalid,
      /expects no callback/,
    ],
    ["no request", (sessions) => sessions.login(undefined as never, {}), invalid, /a request with a session/],
    ["a socket", (sessions) => sessions.login({ handshake: {} } as never, {}), invalid, /expects a request/],
    ["sessions of another kind", (_, req) => other.login(req, { userId: "7" }), invalid, /of its own/],
    [
      "no object",
      (sessions, req) => Reflect.apply(sessions.login, undefined, [req, {}]),
      invalid,
      /passed on/,
    ],
  ])("%s", async (_name, call, code, message) => {
    const failed: unknown[] = [];
    const world = await start({
      maxSessionBytes: 2_000,
      routes: (app, sessions) => {
        app.post("/wrong-login", async (req, res) => {
          await call(sessions, req).catch((error) => failed.push(error));
          res.send(req.session.name);
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    const before = ada.cookie;
    expect(await ada.post("/wrong-login")).toBe("ada");
    expect(failed).toEqual([expect.objectContaining({ code, message: expect.stringMatching(message) })]);
    expect(ada.cookie).toBe(before);
    expect((await sessionOf(ada)).data).toEqual({ name: "ada" });
  });

  test("and a request without a session", async () => {
    const world = await start({
      routes: (app) => {
        app.post("/login-after-logout", (req, _res, next) => req.session.destroy(next));
        app.post("/login-after-logout", (req, _res, next) => {
          world.sessions.login(req, { userId: "7" }).then(next, (error) => next(Object.assign(error)));
        });
        app.use(((error, _req, res, _next) => res.send(error.message)) as express.ErrorRequestHandler);
      },
    });
    const ada = await world.visitor();
    expect(await ada.post("/login-after-logout")).toMatch(/a request with a session; it was undefined/);
  });
});

describe("a login that can't be stored logs no visitor in", () => {
  type Failing = "create" | "destroy";

  /** Fails once in the method, after it has written if `isWritten`. */
  function failingOnce(method: Failing, isWritten: boolean, fail: () => Promise<never>): SessionStore {
    const store = memoryStore();
    const own: (...args: never[]) => Promise<unknown> = store[method].bind(store);
    let isFailing = false;
    return Object.assign(store, {
      failNext: () => {
        isFailing = true;
      },
      [method]: async (...args: never[]) => {
        const fails = isFailing;
        isFailing = false;
        const result = fails && !isWritten ? undefined : await own(...args);
        return fails ? fail() : result;
      },
    });
  }
  const reject = () => Promise.reject(new Error("boom!"));
  const hang = () => new Promise<never>(() => {});

  test.each<[string, Failing, boolean, () => Promise<never>, string]>([
    ["the store fails to create it", "create", false, reject, "STORE_FAILED"],
    ["it creates it, and the answer is lost", "create", true, reject, "STORE_FAILED"],
    ["it creates it, and never answers", "create", true, hang, "STORE_TIMEOUT"],
    ["the store fails to end the old session", "destroy", false, reject, "STORE_FAILED"],
    ["it ends that, and never answers", "destroy", true, hang, "STORE_TIMEOUT"],
  ])("%s", async (_name, method, isWritten, fail, code) => {
    const store = failingOnce(method, isWritten, fail);
    const world = await start({ store, storeTimeoutMs: 50 });
    const ada = await world.visitor({ name: "guest" });
    const before = await sessionOf(ada);
    Reflect.get(store, "failNext")();
    const answer = await ada.request("/new-login", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: '{"userId":"7"}',
    });
    expect({ status: answer.status, ...JSON.parse(answer.body) }).toMatchObject({
      status: 503,
      code,
      data: {},
    });
    const after = await sessionOf(ada);
    expect(after.data).toEqual({});
    expect(after.id).not.toBe(before.id);
    // what the store may have written all the same is under an id that no browser has
    const written = (await documentsOf(world)).filter(({ userId }) => userId !== undefined);
    expect(written.every(({ id }) => id !== after.id && id !== before.id)).toBe(true);
    if (!isWritten) expect(written).toEqual([]);
    expect(JSON.parse(await ada.post("/new-login", { userId: "7" })).data).toEqual({ userId: "7" });
    expect((await sessionOf(ada)).data).toEqual({ userId: "7" });
  });

  test("the store creates it, and is down until the answer has been sent", async () => {
    const store = memoryStore();
    let isDown = false;
    const down = <A extends unknown[], T>(own: (...args: A) => Promise<T>) => {
      return async (...args: A) => {
        const result = isDown ? undefined : await own.apply(store, args);
        isDown ||= String(JSON.stringify(args)).includes('"userId"');
        return isDown || result === undefined ? reject() : result;
      };
    };
    const { create, read, replace, touch } = store;
    Object.assign(store, {
      ...{ create: down(create), read: down(read), replace: down(replace), touch: down(touch) },
    });
    const world = await start({ store });
    const ada = world.browser();
    expect(JSON.parse(await ada.post("/new-login", { userId: "7" })).code).toBe("STORE_FAILED");
    isDown = false;
    expect((await sessionOf(ada)).data).toEqual({});
  });

  test.each([
    ["while it ran", {}, true],
    ["before", { name: "guest" }, false],
  ])("the answer was sent %s", async (_name, data, isEarly) => {
    const outcome = Promise.withResolvers<unknown>();
    const world = await start({
      routes: (app, sessions) => {
        app.post("/unawaited", (req, res) => {
          const logIn = () => sessions.login(req, { userId: "7" }).then(outcome.resolve, outcome.resolve);
          if (isEarly) logIn();
          res.send("in");
          if (!isEarly) logIn();
        });
      },
    });
    const ada = await world.visitor({ name: "guest" });
    await ada.post("/unawaited");
    expect(await outcome.promise).toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(/headers have not been sent.*Await it before you answer/),
    });
    expect((await sessionOf(ada)).data).toEqual(data);
    expect((await documentsOf(world)).filter(({ userId }) => userId !== undefined)).toEqual([]);
  });
});

describe("a login whose request gets another session while it runs is undone", () => {
  type Other = (
    sessions: LiveSessions,
    req: Request,
    res: Response,
    creating: Promise<void>,
  ) => Promise<unknown>;

  test.each<[string, Other, string | undefined]>([
    ["by a logout", (sessions, req, res) => sessions.logout(req, res), undefined],
    ["by another login", (sessions, req) => sessions.login(req, { userId: "8" }), "8"],
    [
      "by unsetting it",
      (_, req, _res, creating) => creating.then(() => Reflect.set(req, "session", null)),
      undefined,
    ],
  ])("%s", async (_name, other, userId) => {
    const store = memoryStore();
    const { create } = store;
    const [creating, isSet] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    store.create = async (...args: Parameters<SessionStore["create"]>) => {
      if (args[1].userId === "7") {
        creating.resolve();
        await isSet.promise;
      }
      return create.apply(store, args);
    };
    const world = await start({
      store,
      routes: (app, sessions) => {
        app.post("/both", async (req, res) => {
          const login = sessions.login(req, { userId: "7" }).then(String, ({ code }) => code);
          await other(sessions, req, res, creating.promise);
          isSet.resolve();
          res.send(await login);
        });
      },
    });
    const ada = world.browser();
    expect(await ada.post("/both")).toBe("INVALID_OPTION");
    expect((await sessionOf(ada)).data).toEqual(userId ? { userId } : {});
    expect((await documentsOf(world)).map((one) => one.userId)).toEqual(userId ? [userId] : []);
  });
});
