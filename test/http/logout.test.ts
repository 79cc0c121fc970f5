/** `sessions.logout(req, res)`. The ends of the sockets, over every store: `test/promises/login.test.ts`. */
import express, { type Request, type Response } from "express";
import expressSession from "express-session";
import express4 from "express4";
import type { LiveSessions, LogoutOptions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import type { Browser } from "../support/browser.ts";
import { startWorld, type World, type WorldOptions } from "../support/world.ts";

const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

interface Options extends WorldOptions {
  logout?: LogoutOptions;
}

/** `/app/new-logout` logs out, between two cookies of the application's own. */
async function start({ logout, ...options }: Options = {}): Promise<World> {
  const world = await startWorld({
    ...options,
    routes: (app, sessions) => {
      options.routes?.(app, sessions);
      app.post("/app/login", (req, res, next) => {
        sessions.login(req, { name: "ada" }).then(() => res.send("in"), next);
      });
      app.post("/app/new-logout", (req, res, next) => {
        res.cookie("theme", "dark");
        const answer = (existed: boolean) =>
          res.cookie("language", "en").json({ existed, has: "session" in req });
        sessions.logout(req, res, logout).then(answer, next);
      });
      app.get("/app/session", (req, res) => void res.json(req.session?.name ?? null));
      const onError: express.ErrorRequestHandler = (error, _req, res, _next) => {
        res.status(error.status).json({ code: error.code, message: error.message });
      };
      app.use(onError);
    },
  });
  closing.push(() => world.close());
  return world;
}

const out = { existed: true, has: false };
const logOut = async (browser: Browser) => JSON.parse(await browser.post("/app/new-logout"));
const nameOf = async (browser: Browser) => JSON.parse(await browser.get("/app/session"));

function countOf({ sessions }: World): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    sessions.store().length?.((error, count) => (error ? reject(error) : resolve(count)));
  });
}

describe.each([
  ["5", express],
  ["4", express4],
])("a logout, on Express %s", (_version, framework) => {
  test.each<[string, Options]>([
    ["as it is", {}],
    ["with saveUninitialized", { saveUninitialized: true }],
    ["with rolling", { rolling: true, cookie: { maxAge: 60_000 } }],
    ["with unset: destroy", { unset: "destroy" }],
  ])("ends the session, and leaves the browser its other cookies, %s", async (_name, options) => {
    const world = await start({ framework, ...options });
    const ada = world.browser();
    await ada.post("/app/login");
    const { cookie } = ada;
    expect(await logOut(ada)).toEqual(out);
    expect(ada.cookie).toBe("theme=dark; language=en");
    expect(await countOf(world)).toBe(0);
    const thief = world.browser();
    thief.cookie = cookie;
    expect(await nameOf(thief)).toBeNull();
  });

  test.each<[string, Options]>([
    ["as it is", {}],
    ["with saveUninitialized", { saveUninitialized: true }],
  ])("of a session that is over, or never was, clears the cookie too, %s", async (_name, options) => {
    const world = await start({ framework, ...options });
    const ada = await world.visitor();
    await world.sessions.end(JSON.parse(await ada.get("/session")).id);
    for (const browser of [ada, world.browser()]) {
      expect(await logOut(browser)).toEqual({ ...out, existed: false });
      expect(browser.cookie).toBe("theme=dark; language=en");
    }
    expect(await countOf(world)).toBe(0);
  });
});

test("twice in one request, after the session was destroyed, and after it was unset", async () => {
  const found: unknown[] = [];
  const world = await start({
    unset: "destroy",
    routes: (app, sessions) => {
      const route = (path: string, first: (req: Request, res: Response) => unknown) =>
        app.post(path, async (req, res) => {
          await first(req, res);
          found.push(await sessions.logout(req, res));
          res.send("out");
        });
      route("/twice", (req, res) => sessions.logout(req, res));
      route("/destroyed", (req) => new Promise((resolve) => req.session.destroy(resolve)));
      route("/unset", (req) => Reflect.set(req, "session", null));
    },
  });
  for (const path of ["/twice", "/destroyed", "/unset"]) {
    const ada = await world.visitor();
    await ada.post(path);
    expect(ada.cookie).toBe("");
  }
  expect(found).toEqual([false, false, true]);
  expect(await countOf(world)).toBe(0);
});

describe("the cleared cookie has the attributes that it was set with", () => {
  /** Without the value and the time. */
  const shape = (line: string | undefined) =>
    line
      ?.replace(/=[^;]*/, "")
      .split("; ")
      .filter((attribute) => !attribute.startsWith("Expires="));
  const https = { "x-forwarded-proto": "https" };

  async function linesOf(options: Options, headers: Record<string, string>) {
    const world = await start(options);
    const post = async (path: string, cookie = "") => {
      const init = { method: "POST", headers: { ...headers, cookie } };
      const response = await fetch(new URL(path, world.url), init);
      return response.headers.getSetCookie().filter((line) => !/^(?:theme|language)=/.test(line));
    };
    const set = await post("/app/login");
    const cleared = await post("/app/new-logout", set[0]?.split(";")[0]);
    return { set, cleared, without: await post("/app/new-logout") };
  }

  test.each<[string, Options, Record<string, string>, string[]]>([
    ["the defaults", {}, {}, ["sid", "Path=/", "HttpOnly"]],
    ["a life time", { cookie: { maxAge: 60_000 } }, {}, ["sid", "Path=/", "HttpOnly"]],
    ["a path", { cookie: { path: "/app" } }, {}, ["sid", "Path=/app", "HttpOnly"]],
    [
      "a domain",
      { cookie: { domain: "example.com", httpOnly: false, sameSite: true } },
      {},
      ["sid", "Domain=example.com", "Path=/", "SameSite=Strict"],
    ],
    [
      "a name with a prefix, a partition and a priority",
      {
        name: "__Host-sid",
        proxy: true,
        cookie: { secure: true, partitioned: true, priority: "high", sameSite: "none" },
      },
      https,
      ["__Host-sid", "Path=/", "HttpOnly", "Secure", "Partitioned", "Priority=High", "SameSite=None"],
    ],
    [
      "auto, over https",
      { proxy: true, cookie: { secure: "auto", sameSite: "auto" as never } },
      https,
      ["sid", "Path=/", "HttpOnly", "Secure", "SameSite=None"],
    ],
    [
      "auto, over https that Express's trust proxy finds",
      { routes: (app) => void app.set("trust proxy", 1), cookie: { secure: "auto" } },
      https,
      ["sid", "Path=/", "HttpOnly", "Secure"],
    ],
    [
      "auto, over http",
      { cookie: { secure: "auto", sameSite: "auto" as never } },
      https, // of a proxy that is not trusted
      ["sid", "Path=/", "HttpOnly", "SameSite=Lax"],
    ],
    [
      "a function of the request",
      { cookie: (req) => ({ path: `/${req.url.split("/")[1]}`, sameSite: "strict" }) },
      {},
      ["sid", "Path=/app", "HttpOnly", "SameSite=Strict"],
    ],
  ])("%s", async (_name, options, headers, expected) => {
    const { set, cleared, without } = await linesOf(options, headers);
    expect(set).toHaveLength(1);
    for (const lines of [set, cleared, without]) {
      expect(lines.map(shape)).toEqual([expect.arrayContaining(expected)]);
      expect(shape(lines[0])).toHaveLength(expected.length);
    }
    for (const [line] of [cleared, without]) expect(line).toMatch(/^[\w-]+=; .*Expires=Thu, 01 Jan 1970/);
  });

  test("the session's own, where the options have changed since", async () => {
    const store = memoryStore();
    const before = await start({ store, cookie: { path: "/app", sameSite: "lax" } });
    const set = await fetch(new URL("/app/login", before.url), { method: "POST" });
    const cookie = set.headers.getSetCookie()[0]?.split(";")[0] ?? "";
    const after = await start({ store });
    const cleared = await fetch(new URL("/app/new-logout", after.url), {
      method: "POST",
      headers: { cookie },
    });
    const line = cleared.headers.getSetCookie().find((one) => one.startsWith("sid="));
    expect(shape(line)).toEqual(shape(set.headers.getSetCookie()[0]));
  });

  test.each<[string, Record<string, string>, string[]]>([
    ["http", {}, ["SameSite=Lax"]],
    ["https", https, ["Secure", "SameSite=None"]],
  ])(
    "those of the options on a path that the middleware leaves out, over %s",
    async (_name, headers, more) => {
      const auto = { secure: "auto", sameSite: "auto" as never } as const;
      const world = await start({
        proxy: true,
        cookie: () => ({ path: "/app", ...auto }),
        routes: (app, sessions) => {
          app.post("/elsewhere", async (req, res) => void res.json(await sessions.logout(req, res)));
        },
      });
      const response = await fetch(new URL("/elsewhere", world.url), { method: "POST", headers });
      expect(await response.json()).toBe(false);
      expect(shape(response.headers.getSetCookie()[0])).toEqual(["sid", "Path=/app", "HttpOnly", ...more]);
    },
  );
});

test("if the store fails, the session and the browser's cookie stay, and another logout ends both", async () => {
  const store = memoryStore();
  const { destroy } = store;
  const world = await start({ store, logout: { clearSiteData: true } });
  const ada = await world.visitor({ name: "ada" });
  const { cookie } = ada;
  store.destroy = () => Promise.reject(new Error("boom!"));
  const headers = { cookie };
  const failed = await fetch(new URL("/app/new-logout", world.url), { method: "POST", headers });
  expect(failed.status).toBe(503);
  expect(await failed.json()).toMatchObject({ code: "STORE_FAILED" });
  expect(failed.headers.getSetCookie()).toEqual([expect.stringMatching(/^theme=/)]);
  expect(failed.headers.get("clear-site-data")).toBeNull();
  store.destroy = destroy;
  expect(await nameOf(ada)).toBe("ada");
  expect(await logOut(ada)).toEqual(out);
  expect(await nameOf(ada)).toBeNull();
});

test("ends the session of the cookie where express-session has not loaded it, as its store is disconnected", async () => {
  const store = new expressSession.MemoryStore();
  const world = await start({ store });
  const ada = await world.visitor({ name: "ada" });
  const { cookie } = ada;
  store.emit("disconnect");
  const forger = world.browser();
  forger.cookie = `${cookie}x`;
  expect(await logOut(forger)).toEqual({ existed: false, has: false });
  expect(await logOut(ada)).toEqual(out);
  store.emit("connect");
  ada.cookie = cookie;
  expect(await nameOf(ada)).toBeNull();
});

describe("Clear-Site-Data", () => {
  test.each<[LogoutOptions | undefined, string | null]>([
    [undefined, null],
    [{}, null],
    [{ clearSiteData: false }, null],
    [{ clearSiteData: true }, '"cache", "cookies", "storage"'],
    [{ clearSiteData: ["storage"] }, '"storage"'],
    [{ clearSiteData: ["executionContexts", "*"] }, '"executionContexts", "*"'],
  ])("of %j", async (logout, value) => {
    const world = await start(logout ? { logout } : {});
    const response = await fetch(new URL("/app/new-logout", world.url), { method: "POST" });
    expect(response.headers.get("clear-site-data")).toBe(value);
  });
});

describe("wrong arguments are refused before anything ends", () => {
  type Call = (sessions: LiveSessions, req: Request, res: Response) => Promise<unknown>;
  const options =
    (value: unknown): Call =>
    (sessions, req, res) =>
      sessions.logout(req, res, value as never);

  test.each<[string, Call, RegExp]>([
    [
      "no request",
      (sessions, _, res) => sessions.logout(undefined as never, res),
      /expects a request; it was/,
    ],
    ["a socket", (sessions, _, res) => sessions.logout({ handshake: {} } as never, res), /socket\.session/],
    [
      "no response",
      (sessions, req) => sessions.logout(req, undefined as never),
      /expects a response; it was/,
    ],
    [
      "the two swapped",
      (sessions, req, res) => sessions.logout(res as never, req as never),
      /a request; it was/,
    ],
    [
      "a callback",
      (sessions, req, res) => sessions.logout(req, res, (() => {}) as never),
      /expects no callback/,
    ],
    ["an unknown option", options({ clearSite: true }), /has no option `clearSite`.*clearSiteData/],
    ["a text", options("cache"), /expects an object of options/],
    ["a header's value", options({ clearSiteData: '"cache"' }), /expects true or a list of "cache"/],
    ["no directive", options({ clearSiteData: [] }), /expects true or a list/],
    ["an unknown directive", options({ clearSiteData: ["cookie"] }), /expects true or a list/],
    ["no object", (sessions, req, res) => Reflect.apply(sessions.logout, undefined, [req, res]), /passed on/],
  ])("%s", async (_name, call, message) => {
    const failed: unknown[] = [];
    const world = await start({
      routes: (app, sessions) => {
        app.post("/wrong-logout", async (req, res) => {
          await call(sessions, req, res).catch((error) => failed.push(error));
          res.send(req.session.name);
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    expect(await ada.post("/wrong-logout")).toBe("ada");
    expect(failed).toEqual([
      expect.objectContaining({ code: "INVALID_OPTION", message: expect.stringMatching(message) }),
    ]);
    expect(await nameOf(ada)).toBe("ada");
  });

  test.each([
    ["before: the session goes on", false, "ada"],
    ["while it ran: the session is over", true, null],
  ])("the answer was sent %s", async (_name, isEarly, name) => {
    const outcome = Promise.withResolvers<unknown>();
    const world = await start({
      routes: (app, sessions) => {
        app.post("/unawaited", (req, res) => {
          const logout = () => sessions.logout(req, res).then(outcome.resolve, outcome.resolve);
          if (isEarly) logout();
          res.send("out");
          if (!isEarly) logout();
        });
      },
    });
    const ada = await world.visitor({ name: "ada" });
    await ada.post("/unawaited");
    expect(await outcome.promise).toMatchObject({ code: "INVALID_OPTION" });
    expect(await nameOf(ada)).toBe(name);
  });
});

test("of one of two kinds of sessions ends that, and the request keeps its session of the other kind", async () => {
  const staff = await start({ name: "staff" });
  const world = await start({
    routes: (app) => {
      app.post("/staff/logout", async (req, res) => {
        req.session.n = 1;
        res.json(await staff.sessions.logout(req, res));
      });
    },
  });
  const boss = await staff.visitor({ name: "the boss" });
  const ada = await world.visitor({ name: "ada" });
  ada.cookie = `${ada.cookie}; ${boss.cookie}`;
  expect(JSON.parse(await ada.post("/staff/logout"))).toBe(true);
  expect(ada.cookie).toMatch(/^sid=[^;]+$/);
  expect(await countOf(staff)).toBe(0);
  expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1 });
  expect(JSON.parse(await ada.post("/staff/logout"))).toBe(false);
});
