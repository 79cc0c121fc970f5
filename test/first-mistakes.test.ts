/**
 * The mistakes of the first ten minutes, one test each: every message says what was expected, what came, and the cure.
 * Those of options are in arguments.test.ts (`ttl`, `guest`, `cookie.maxAge: "1h"`) and options.test.ts, those of writes to
 * `data` and to `socket.request.session` in data/read-only-data.test.ts and socket/request-view.test.ts, a bug in a handler in
 * socket/handlers.test.ts.
 */
import { createServer } from "node:http";
import { sign } from "cookie-signature";
import express, { type RequestHandler } from "express";
import session from "express-session";
import { Server } from "socket.io";
import { type LiveSessions, liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { signIn } from "socket-session/testing";
import { afterEach, beforeEach, describe, expect, type MockInstance, test, vi } from "vitest";
import { Browser, refused } from "./support/browser.ts";
import { serverSockets } from "./support/handlers.ts";
import { listen } from "./support/listen.ts";
import { secret, startWorld, type World, type WorldOptions } from "./support/world.ts";

let world: World | undefined;
let emitWarning: MockInstance;
const closing: (() => unknown)[] = [];
beforeEach(() => {
  emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
});
afterEach(async () => {
  await world?.close();
  world = undefined;
  for (const close of closing.splice(0)) await close();
  vi.restoreAllMocks();
});

const build = (options: object = {}) => {
  const sessions = liveSessions({ store: memoryStore(), secret, ...options } as never);
  closing.push(() => sessions.close());
  return sessions;
};

const start = async (options: WorldOptions): Promise<World> => {
  world = await startWorld(options);
  return world;
};

const warnings = (code: string) =>
  emitWarning.mock.calls
    .filter(([, options]) => (options as { code?: string } | undefined)?.code === code)
    .map(([message]) => String(message));

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ name: "SocketSessionError", code: "INVALID_OPTION" });
    return error instanceof Error ? error.message : "";
  }
  throw new Error("Expected a refusal, but it was accepted.");
}

describe("sessions.attach of what is no Socket.IO server", () => {
  const expected =
    "sessions.attach(io) expects a Socket.IO server, as `new Server(httpServer)` of socket.io makes one; it was ";

  test.each<[string, (io: Server) => unknown, string]>([
    [
      "an Express application",
      () => express(),
      "an Express application. Make a server of it: const io = new Server(createServer(app)), and give that `io`.",
    ],
    [
      "an http.Server",
      () => createServer(),
      "an http server. Make one of it: const io = new Server(httpServer), and give that `io`.",
    ],
    ["io.engine", (io) => io.engine, "Engine.IO's server, `io.engine`. Give `io` itself."],
    [
      "a namespace",
      (io) => io.of("/x"),
      "a namespace. Give `io` itself: its sockets are served in all namespaces.",
    ],
    ["a promise", (io) => Promise.resolve(io), "a promise. Await it first."],
    [
      "undefined",
      () => undefined,
      "undefined. Make one: const io = new Server(httpServer), and give that `io`.",
    ],
    [
      "the class",
      () => Server,
      "a function. Make one: const io = new Server(httpServer), and give that `io`.",
    ],
    ["a port", () => 3000, "a number. Make one: const io = new Server(httpServer), and give that `io`."],
    ["an array", (io) => [io], "an array. Make one: const io = new Server(httpServer), and give that `io`."],
    [
      "sessions",
      () => build(),
      "an object of LiveSessions. Make one: const io = new Server(httpServer), and give that `io`.",
    ],
  ])("%s", (_name, make, message) => {
    const io = new Server(createServer());
    expect(messageOf(() => build().attach(make(io) as never))).toBe(expected + message);
  });
});

test("sessions.attach of a server of Socket.IO 2 or 3", () => {
  const io = Object.assign(Object.create({ bind() {}, path() {}, of() {} }), {
    sockets: { add() {} },
    nsps: {},
  });
  expect(() => build().attach(io)).toThrow(
    expect.objectContaining({
      code: "UNSUPPORTED_UPSTREAM",
      message:
        "sessions.attach(io) expects a server of socket.io 4.8 or later; it was one of an older release. Write npm install socket.io@4.",
    }),
  );
});

describe("a method that is not called, or not on `sessions`", () => {
  const answerOf = async (middleware: unknown) => {
    const app = express();
    app.use(middleware as RequestHandler);
    app.use(((error, _req, res, _next) =>
      res.status(500).send(error.message)) as express.ErrorRequestHandler);
    const http = createServer(app);
    await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
    closing.push(() => http.close());
    const address = http.address();
    const port = typeof address === "object" ? address?.port : 0;
    return (await fetch(`http://127.0.0.1:${port}/`)).text();
  };

  test("app.use(sessions.express): the answer of each request says what to write", async () => {
    const sessions = build();
    const cure = "Write app.use(sessions.express()).";
    expect(await answerOf(sessions.express)).toBe(
      `sessions.express() expects to be called on \`sessions\`; it was passed on without, or destructured. ${cure}`,
    );
    expect(await answerOf(sessions.express.bind(sessions))).toBe(
      `sessions.express() expects no argument, and returns the middleware; it was given a request. ${cure}`,
    );
  });

  test("session({ store: sessions.store })", () => {
    const sessions = build();
    const options = { secret, resave: false, saveUninitialized: false };
    expect(messageOf(() => session({ ...options, store: sessions.store as never }))).toBe(
      "`store` of express-session expects a store; it was sessions.store, the method that makes one. Write session({ store: sessions.store() }).",
    );
    session({ ...options, store: sessions.store() });
  });

  test("io.use(sessions.attach)", () => {
    const { attach } = build();
    expect(messageOf(() => Reflect.apply(attach, undefined, [{}, () => {}]))).toContain(
      "sessions.attach(io) expects to be called on `sessions`; it was passed on without, or destructured. Write sessions.attach(io), once for each server.",
    );
  });

  test("const { express, store, attach, of } = sessions", () => {
    const sessions = build();
    for (const method of ["express", "store", "attach", "of"] as const)
      expect(messageOf(() => Reflect.apply(sessions[method], undefined, []))).toMatch(
        new RegExp(
          `^sessions\\.${method}\\(.* expects to be called on \`sessions\`; .*sessions\\.${method}\\(`,
        ),
      );
  });

  test("process.on(signal, sessions.close), bound or not", async () => {
    const sessions = build();
    for (const owner of [process, sessions])
      await expect(Reflect.apply(sessions.close, owner, ["SIGTERM", 15])).rejects.toMatchObject({
        code: "INVALID_OPTION",
        message: expect.stringContaining("As a listener, write () => sessions.close()."),
      });
  });

  test.each(["session", "req"] as const)("sessions.end(%s)", async (given) => {
    let error: unknown;
    world = await startWorld({
      routes: (app, sessions) => {
        app.post("/end", (req, res, next) => {
          const wrong = (given === "req" ? req : req.session) as never;
          sessions
            .end(wrong)
            .catch((cause: unknown) => {
              error = cause;
            })
            .then(() => res.send("done"), next);
        });
      },
    });
    const ada = await world.visitor();
    await ada.post("/end");
    expect(error).toMatchObject({
      code: "INVALID_OPTION",
      message: expect.stringMatching(
        /^sessions\.end\(\) expects the id of a session, or \{ publicId \}; it was an object of \w+\. Give it req\.sessionID/,
      ),
    });
  });

  test("sessions.of(socket)", async () => {
    const { visitor, io, sessions } = await start({});
    await (await visitor()).connect();
    const [socket] = serverSockets(io);
    expect(messageOf(() => sessions.of(socket as never))).toBe(
      "sessions.of(req) expects a request; it was an object of Socket. A socket has its session: socket.session.",
    );
    const { request } = socket ?? {};
    const message = /expects a request; it was .*\. A socket has its session: socket\.session\.$/;
    expect(messageOf(() => sessions.of(request as never))).toMatch(message);
    for (const attempt of [sessions.login(request as never, {}), sessions.ticket(request as never)])
      await expect(attempt).rejects.toThrow(message);
    await expect(sessions.logout(request as never, {} as never)).rejects.toThrow(message);
  });
});

describe("no app.use(sessions.express())", () => {
  const refuseOne = async (
    prepare: (sessions: LiveSessions) => unknown = () => {},
    code = "SESSION_REQUIRED",
  ) => {
    vi.resetModules(); // it is named once for the process
    const [fresh, testing] = [await import("socket-session"), await import("socket-session/testing")];
    const http = createServer();
    const io = new Server(http);
    const sessions = fresh.liveSessions({ store: memoryStore(), secret });
    prepare(sessions);
    sessions.attach(io);
    const browser = new Browser(await listen(http));
    closing.push(
      () => browser.close(),
      () => io.close(),
      () => sessions.close(),
    );
    browser.cookie = await testing.signIn(sessions, {});
    await browser.connect();
    expect(warnings("SOCKET_SESSION_NO_MIDDLEWARE")).toEqual([]);
    browser.cookie =
      code === "SESSION_REQUIRED" ? "" : `connect.sid=s%3A${sign("of another middleware", secret)}`;
    for (let i = 0; i < 2; i++) expect((await refused(browser.socket())).data?.code).toBe(code);
    return warnings("SOCKET_SESSION_NO_MIDDLEWARE");
  };

  test.each(["SESSION_REQUIRED", "SESSION_ENDED"])(
    "is named once, at the first refusal: %s",
    async (code) => {
      expect(await refuseOne(() => {}, code)).toEqual([
        `A client was refused (${code}), and sessions.express() was never called here: no session that its requests make is one of these. Write app.use(sessions.express()) before the routes, in the place of app.use(session({ … })). If another process makes the sessions, nothing is missing.`,
      ]);
    },
  );

  test("on sockets, in the place of attach, says what to write", async () => {
    const http = createServer();
    const io = new Server(http);
    const sessions = build();
    io.engine.use(sessions.express());
    const browser = new Browser(await listen(http));
    closing.push(
      () => browser.close(),
      () => io.close(),
    );
    await browser.connect();
    expect(warnings("SOCKET_SESSION_ENGINE_USE")).toEqual([
      "io.engine.use(sessions.express()) does nothing, and sessions.attach(io) was never called: sockets are let in unchecked, and have no session. Write sessions.attach(io) in its place, and use socket.session.",
    ]);
  });

  test.each(["express", "store"] as const)("is not, once sessions.%s() has been called", async (method) => {
    expect(await refuseOne((sessions) => sessions[method]())).toEqual([]);
  });
});

describe("a secret that is none", () => {
  const cure =
    "Set one of at least 32 random bytes, the same on every node, such as this prints: node -e \"console.log(require('crypto').randomBytes(32).toString('base64url'))\"";
  const unset = "If it comes from the environment, such as SESSION_SECRET, that variable is not set.";
  test.each<[string, unknown, string]>([
    ["an empty one", "", `an empty string. ${unset}`],
    ["undefined", undefined, `undefined. ${unset}`],
    ["no secrets", [], "an empty array."],
    ["an empty one alone in an array", [""], `an empty string, as its element 0. ${unset}`],
    ["an empty one among others", ["a good one", ""], `an empty string, as its element 1. ${unset}`],
    ["undefined among others", [undefined, "a good one"], `undefined, as its element 0. ${unset}`],
    ["an empty Buffer", Buffer.alloc(0), "an empty Buffer."],
    ["null", null, "null."],
    ["a number", 12345, "a number."],
    ["an object", { secret: "x" }, "an object of Object."],
  ])("%s", (_name, given, came) => {
    expect(messageOf(() => build({ secret: given }))).toBe(
      `\`secret\` expects a string or Buffer that is not empty, or an array of them; it was ${came} ${cure}`,
    );
  });

  test("missing", () => {
    const message = messageOf(() => liveSessions({ store: memoryStore() } as never));
    expect(message).toContain("it was undefined.");
    expect(message).toContain(cure);
  });
});

describe("a short secret", () => {
  test("works, and is named once for the process", async () => {
    vi.resetModules();
    const fresh = await import("socket-session");
    const open = async (given: string | Buffer | string[]) => {
      await fresh.liveSessions({ store: memoryStore(), secret: given }).close();
      return warnings("SOCKET_SESSION_SHORT_SECRET");
    };
    expect(await open("sixteen letters.")).toEqual([]);
    expect(await open(Buffer.from("sixteen letters."))).toEqual([]);
    expect(await open(["sixteen letters.", "old"])).toEqual([]); // which is on its way out
    const told = [
      "`secret` has 12 characters, and can be guessed: anyone who guesses it can sign a cookie of their own. Set one of at least 32 random bytes, such as this prints: node -e \"console.log(require('crypto').randomBytes(32).toString('base64url'))\" Give it before the old one, in an array, and nobody is logged out.",
    ];
    expect(await open("keyboard cat")).toEqual(told);
    expect(await open(Buffer.from("another"))).toEqual(told);
  });
});

describe("cookie.secure over plain HTTP", () => {
  const code = "SOCKET_SESSION_INSECURE_COOKIE";
  const message =
    "A session was stored for a request, or made for a socket's handshake, over plain HTTP, as far as this process can tell, and its cookie is not sent: `cookie.secure` is true. The visitor comes back without a session. " +
    'Write cookie: { secure: "auto" }. If a proxy ends TLS, have it send X-Forwarded-Proto, and set `proxy: true` or app.set("trust proxy", 1).';
  const trusting: WorldOptions = { routes: (app) => void app.set("trust proxy", 1) };
  const secure = { secure: true };

  const login = async (options: WorldOptions, headers: Record<string, string> = {}) => {
    const { browser } = await start(options);
    const one = browser();
    for (let i = 0; i < 2; i++) {
      expect((await one.request("/login", { method: "POST", headers })).status).toBe(200);
      one.cookie = "";
    }
    return warnings(code);
  };

  test("is named once, at the first session that is stored", async () => {
    expect(await login({ cookie: secure })).toEqual([message]);
  });

  test.each<[string, WorldOptions, Record<string, string>]>([
    [
      "behind a proxy that is not trusted",
      { cookie: secure, proxy: false },
      { "x-forwarded-proto": "https" },
    ],
    ["behind a proxy that Express is not told of", { cookie: secure }, { "x-forwarded-proto": "https" }],
    ["by a proxy that says http", { cookie: secure, proxy: true }, { "x-forwarded-proto": "http, https" }],
    ["by a proxy that says nothing", { cookie: secure, proxy: true, ...trusting }, {}],
    ["as a function of the request says it", { cookie: () => secure }, {}],
  ])("%s", async (_name, options, headers) => {
    expect(await login(options, headers)).toEqual([message]);
  });

  test.each<[string, WorldOptions, Record<string, string>]>([
    ["secure: auto", { cookie: { secure: "auto" } }, {}],
    ["no secure at all", {}, {}],
    [
      "proxy: true, and the proxy says https",
      { cookie: secure, proxy: true },
      { "x-forwarded-proto": "HTTPS, http" },
    ],
    ["Express trusts the proxy", { cookie: secure, ...trusting }, { "x-forwarded-proto": "https" }],
  ])("is not with %s", async (_name, options, headers) => {
    expect(await login(options, headers)).toEqual([]);
  });

  test("is named at sessions.login() too", async () => {
    const { browser } = await start({
      cookie: secure,
      routes: (app, sessions) => {
        app.post("/new-login", (req, res, next) => {
          sessions.login(req, { name: "ada" }).then(() => res.send("in"), next);
        });
      },
    });
    expect(await browser().post("/new-login")).toBe("in");
    expect(warnings(code)).toEqual([message]);
  });

  test("is not where nothing was written to the session", async () => {
    const { browser } = await start({ cookie: secure });
    expect((await browser().request("/session")).status).toBe(200);
    expect(warnings(code)).toEqual([]);
  });
});

describe("update with what JSON would lose in silence", () => {
  class Cart {
    lines = [1];
  }
  class Money {
    toJSON() {
      return "1 EUR";
    }
    parts = new Map();
  }

  test.each<[string, () => unknown, string]>([
    ["a Map", () => new Map([["a", 1]]), "a Map. Write Object.fromEntries(map), or [...map]."],
    ["a Set", () => new Set([1]), "a Set. Write [...set]."],
    ["a function", () => () => 1, "a function. Keep data alone in a session."],
    ["a symbol", () => Symbol("x"), "a symbol. Keep data alone in a session."],
    ["a promise", () => Promise.resolve(1), "a promise. Await it first."],
    ["a RegExp", () => /x/, "a RegExp. Write regexp.source."],
    ["an Error", () => new Error("x"), "an Error. Write error.message."],
    ["a WeakMap", () => new WeakMap(), "a WeakMap. Keep data alone in a session."],
    [
      "a Map in an array in an object",
      () => ({ list: [1, { deep: new Map() }] }),
      "a Map. Write Object.fromEntries(map), or [...map].",
    ],
    ["a Set in an instance", () => Object.assign(new Cart(), { seen: new Set() }), "a Set. Write [...set]."],
  ])("%s", async (_name, make, came) => {
    const { visitor, io, sessions } = await start({
      routes: (app, live) => {
        app.post("/cart", async (req, res) => {
          await live.of(req).update((s) => void Object.assign(s, { cart: make() }));
          res.send("kept");
        });
        app.use(((error, _req, res, _next) =>
          res.status(500).send(error.message)) as express.ErrorRequestHandler);
      },
    });
    const ada = await visitor({ name: "ada" });
    await ada.connect();
    const [socket] = serverSockets(io);
    const message = `The session's "cart" expects what JSON can hold; it was, or held, ${came} Nothing was written.`;
    const update = socket?.session.update((s) => void Object.assign(s, { cart: make(), n: 1 }));
    await expect(update).rejects.toMatchObject({ code: "SESSION_INVALID_DATA", message });
    expect(socket?.session.data).toEqual({ name: "ada" });
    expect(await ada.post("/cart")).toBe(message);
    const signing = signIn(sessions, { cart: make() } as object);
    await expect(signing).rejects.toMatchObject({ code: "SESSION_INVALID_DATA", message });
  });

  test("dates, objects with toJSON, instances, bytes and undefined stay legal", async () => {
    const { visitor, io } = await start({});
    await (await visitor({ name: "ada", n: 1 })).connect();
    const [socket] = serverSockets(io);
    const at = new Date(0);
    await socket?.session.update(
      (s) =>
        void Object.assign(s, {
          ...{ at, money: new Money(), cart: new Cart(), list: [undefined, null], name: undefined },
          ...{ bytes: Buffer.from("a"), plain: Object.create(null) },
        }),
    );
    expect(socket?.session.data).toEqual({
      ...{ n: 1, at: at.toISOString(), money: "1 EUR", cart: { lines: [1] }, list: [null, null] },
      ...{ bytes: { type: "Buffer", data: [97] }, plain: {} },
    });
  });

  test("a save of express-session stays as it is there", async () => {
    const { browser } = await start({
      routes: (app) => {
        app.post("/map", (req, res) => {
          Object.assign(req.session, { cart: new Map([["a", 1]]), n: 1 });
          res.send("kept");
        });
      },
    });
    const one = browser();
    expect(await one.post("/map")).toBe("kept");
    expect(JSON.parse(await one.get("/session")).data).toEqual({ cart: {}, n: 1 });
  });

  test("update without a function", async () => {
    const { visitor, io } = await start({});
    await (await visitor()).connect();
    const [socket] = serverSockets(io);
    await expect(socket?.session.update({} as never)).rejects.toThrow(
      "session.update() expects a function; it was an object of Object. Write update((s) => { s.name = … })",
    );
  });
});
