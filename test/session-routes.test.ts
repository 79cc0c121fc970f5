import { createServer, request } from "node:http";
import express from "express";
import { liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, test } from "vitest";
import { Browser } from "./support/browser.ts";
import { listen } from "./support/listen.ts";
import { secret, startWorld, type World, type WorldOptions } from "./support/world.ts";

let world: World;
afterEach(() => world?.close());

const page = "https://page.example";

const start = async (options: WorldOptions = {}) => {
  world = await startWorld({
    origins: [page],
    routes: (app, sessions) => app.use("/session", sessions.routes()),
    ...options,
  });
};

async function ask(
  visitor: Browser,
  headers: Record<string, string> = {},
  method = "POST",
  path = "/ticket",
) {
  const response = await fetch(`${world.url}/session${path}`, {
    method,
    headers: { ...headers, ...(visitor.cookie ? { cookie: visitor.cookie } : {}) },
  });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    body: text === "" ? undefined : JSON.parse(text),
  };
}

const routes = [
  ["POST", "/ticket"],
  ["POST", "/renew"],
  ["GET", "/state"],
] as const;

describe.each(routes)("%s %s", (method, path) => {
  test("lets pages of listed origins read the answer, and refuses others", async () => {
    await start();
    const visitor = await world.visitor();
    const refusedHeaders = [
      { origin: "https://stranger.example" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ];
    for (const headers of refusedHeaders) {
      const { status, body, headers: answered } = await ask(visitor, headers, method, path);
      expect([status, body.data]).toEqual([403, { code: "ORIGIN_REFUSED" }]);
      expect(answered.get("access-control-allow-origin")).toBe(null);
      expect(answered.getSetCookie()).toEqual([]);
    }
    const listed = await ask(visitor, { origin: page, "sec-fetch-site": "cross-site" }, method, path);
    expect(listed.status).toBe(200);
    expect(listed.headers.get("access-control-allow-origin")).toBe(page);
    expect(listed.headers.get("access-control-allow-credentials")).toBe("true");
    expect(listed.headers.get("vary")).toBe("Origin");
    expect((await ask(visitor, { origin: world.url }, method, path)).status).toBe(200);
  });

  test("answers preflights of listed origins, without a session", async () => {
    await start();
    const visitor = world.browser();
    const { status, headers } = await ask(visitor, { origin: page }, "OPTIONS", path);
    expect(status).toBe(204);
    expect(headers.get("access-control-allow-methods")).toBe(method);
    expect(headers.get("access-control-allow-origin")).toBe(page);
    const stranger = { origin: "https://stranger.example" };
    expect((await ask(visitor, stranger, "OPTIONS", path)).status).toBe(403);
  });

  test("answers other methods with those that it has, which is no activity", async () => {
    await start({ touchIntervalMs: 0, rolling: true, cookie: { maxAge: 3_600_000 } });
    const visitor = await world.visitor();
    const { touches } = world.sessions.stats();
    const other = method === "GET" ? "POST" : "GET";
    for (const wrong of [other, "PUT", "DELETE"]) {
      const { status, headers, body } = await ask(visitor, {}, wrong, path);
      const allowed = method === "GET" ? "GET, HEAD, OPTIONS" : "POST, OPTIONS";
      expect([status, headers.get("allow")]).toEqual([405, allowed]);
      expect(body.message).toContain(`by ${method}, not by ${wrong}`);
      expect([headers.get("cache-control"), headers.get("set-cookie")]).toEqual(["no-store", null]);
    }
    expect(world.sessions.stats().touches).toBe(touches);
  });

  test("gives its answer to no script, style or cache", async () => {
    await start();
    const { headers } = await ask(await world.visitor(), {}, method, path);
    expect(headers.get("x-content-type-options")).toBe("nosniff");
    expect(headers.get("cache-control")).toBe("no-store");
  });

  test("answers 503 while the store has no connection, and `express-session` gives no session", async () => {
    let become: ((state: "connected" | "disconnected") => void) | undefined;
    const connectivity: SessionStore["connectivity"] = (listener) => {
      become = listener;
      return () => {};
    };
    await start({ store: Object.assign(memoryStore(), { connectivity }) });
    const visitor = await world.visitor();
    become?.("disconnected");
    const { status, body } = await ask(visitor, {}, method, path);
    expect([status, body.data]).toEqual([503, { code: "STORE_UNAVAILABLE" }]);
    become?.("connected");
    expect((await ask(visitor, {}, method, path)).status).toBe(200);
  });
});

describe("POST /ticket", () => {
  test("answers with a ticket that no cache keeps", async () => {
    await start();
    const before = Date.now();
    const { status, headers, body } = await ask(await world.visitor());
    expect(status).toBe(200);
    expect(headers.get("cache-control")).toBe("no-store");
    expect(headers.get("access-control-allow-origin")).toBe(null);
    expect(body).toEqual({ ticket: expect.stringMatching(/^[\w-]{43}$/), expiresAt: expect.any(Number) });
    expect(body.expiresAt).toBeGreaterThanOrEqual(before + 30_000);
    expect(body.expiresAt).toBeLessThanOrEqual(Date.now() + 30_000);
  });

  test("refuses visitors without a session with the codes of sockets", async () => {
    await start();
    const visitor = world.browser();
    const out = await world.visitor();
    const { cookie } = out;
    await out.post("/logout");
    const cases = { SESSION_REQUIRED: "", SESSION_INVALID: "sid=s%3Ax.y", SESSION_ENDED: cookie };
    for (const [code, header] of Object.entries(cases)) {
      visitor.cookie = header;
      const { status, body, headers } = await ask(visitor);
      expect([status, body.data.code, headers.get("cache-control")]).toEqual([401, code, "no-store"]);
    }
    expect(world.sessions.stats().refused).toMatchObject({
      SESSION_REQUIRED: 1,
      SESSION_INVALID: 1,
      SESSION_ENDED: 1,
    });
  });

  test("answers 503 while the store fails, and reports the error", async () => {
    const store = memoryStore();
    store.putTicket = () => Promise.reject(new Error("down"));
    await start({ store });
    const { status, body } = await ask(await world.visitor());
    expect([status, body.data]).toEqual([503, { code: "STORE_UNAVAILABLE" }]);
    expect(world.errors).toMatchObject([{ code: "STORE_FAILED" }]);
  });

  test("leaves other paths to the application", async () => {
    await start({
      routes: (app, sessions) => {
        app.use("/session", sessions.routes());
        app.get("/session/other", (_req, res) => res.json("other"));
      },
    });
    expect(await world.browser().get("/session/other")).toBe('"other"');
  });

  test("is served at this path only, so that a middleware for the path sees all requests", async () => {
    await start({
      routes: (app, sessions) => {
        app.use("/session/ticket", (_req, res) => res.sendStatus(429));
        app.use("/session", sessions.routes());
        app.use("/unlimited", sessions.routes());
      },
    });
    const { cookie } = await world.visitor();
    const { hostname, port } = new URL(world.url);
    const statusOf = (path: string) =>
      new Promise((resolve, reject) => {
        const sent = request({ hostname, port, path, method: "POST", headers: { cookie } }, (response) => {
          resolve(response.resume().statusCode);
        });
        sent.on("error", reject).end();
      });
    for (const path of ["ticket", "ticket?a=1", "ticket/", "TICKET"])
      expect([path, await statusOf(`/session/${path}`)]).toEqual([path, 429]);
    for (const path of [
      "./ticket",
      "x/../ticket",
      "x/%2e%2e/ticket",
      "x\\..\\ticket",
      "%74icket",
      "/ticket",
      "",
    ])
      expect([path, await statusOf(`/session/${path}`)]).toEqual([path, 404]);
    for (const path of ["/unlimited/ticket", "/unlimited/ticket?a=/b", `${world.url}/unlimited/ticket?a=1`])
      expect([path, await statusOf(path)]).toEqual([path, 200]);
  });

  test("before sessions.express(), fails with the cure", async () => {
    const sessions = liveSessions({ store: memoryStore(), secret });
    const app = express();
    app.use("/session", sessions.routes());
    const errors: unknown[] = [];
    app.use(((error, _req, res, _next) => {
      errors.push(error);
      res.sendStatus(500);
    }) satisfies express.ErrorRequestHandler);
    const http = createServer(app);
    const visitor = new Browser(await listen(http));
    await visitor.post("/session/ticket");
    expect(errors).toMatchObject([
      { code: "INVALID_OPTION", message: expect.stringContaining("sessions.express()") },
    ]);
    http.close();
    await sessions.close();
  });
});

test("sessions.ticket() expects a request with a stored session", async () => {
  await start({
    routes: (app, sessions) => {
      app.post("/new", async (req, res) => {
        req.session.name = "not stored yet";
        res.json(await sessions.ticket(req).catch(({ code }) => code));
      });
    },
  });
  expect(await world.browser().post("/new")).toBe('"SESSION_ENDED"');
  const { sessions } = world;
  await expect(sessions.ticket({} as never)).rejects.toMatchObject({ code: "INVALID_OPTION" });
  await expect(Reflect.apply(sessions.ticket, sessions, [{}, () => {}])).rejects.toMatchObject({
    code: "INVALID_OPTION",
  });
  const { routes } = sessions;
  expect(() => Reflect.apply(routes, undefined, [])).toThrow(
    "sessions.routes() expects to be called on `sessions`",
  );
  expect(() => Reflect.apply(routes, sessions, [{}])).toThrow("sessions.routes()");
});
