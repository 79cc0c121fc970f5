/** A request may put data into its session that express-session itself can't take: the request is answered all the same. */
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import express from "express";
import session from "express-session";
import express4 from "express4";
import { liveSessions } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, describe, expect, onTestFinished, test } from "vitest";
import { Browser } from "../support/browser.ts";
import { secret, startWorld, type World } from "../support/world.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

const post = (browser: Browser, path: string, what: string) =>
  browser.request(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ what }),
  });

const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const cyclic = () => {
  const self: unknown[] = [];
  self.push(self);
  return self;
};

const hostile = [
  { what: "2,310 levels", make: () => nested(2_310) },
  { what: "4,000 levels", make: () => nested(4_000) },
  { what: "100,000 levels", make: () => nested(100_000) },
  { what: "a cycle", make: cyclic },
  { what: "a BigInt", make: () => 1n },
];

const routes = (app: express.Express, errors: unknown[]) => {
  const keep = (req: express.Request) => {
    const found = hostile.find(({ what }) => what === req.body.what);
    Object.assign(req.session, { n: 2, list: found?.make() });
  };
  app.post("/keep", (req, res) => {
    keep(req);
    res.send("kept");
  });
  app.post("/keep-async", async (req, res) => {
    await new Promise(setImmediate);
    keep(req);
    res.json({ kept: true });
  });
  app.post("/keep-empty", (req, res) => {
    keep(req);
    res.status(204).end();
  });
  app.post("/keep-streamed", (req, res) => {
    res.write("kept"); // the headers are out
    keep(req);
    res.end();
  });
  app.post("/keep-written", async (req, res) => {
    await new Promise(setImmediate);
    keep(req);
    res.write("kept"); // which sends the headers
    res.end();
  });
  app.use(((error, _req, res, next) => {
    errors.push(error);
    if (res.headersSent) return; // as an error that express-session tells when the response has begun
    next(error);
  }) as express.ErrorRequestHandler);
};

describe.each([
  ["5", express],
  ["4", express4],
])("Express %s", (_version, framework) => {
  describe.each(hostile)("a session with $what", ({ what }) => {
    test.each(["/keep", "/keep-async", "/keep-empty", "/keep-streamed"])(
      "is not written by %s, which is answered",
      async (path) => {
        const errors: unknown[] = [];
        world = await startWorld({ framework, routes: (app) => routes(app, errors) });
        const ada = await world.visitor({ name: "ada", n: 1 });
        const { status } = await post(ada, path, what);
        expect(status).toBe(path === "/keep-empty" ? 204 : 200);
        await expect.poll(() => errors).toHaveLength(1);
        expect(errors).toEqual([
          expect.objectContaining({
            code: "SESSION_INVALID_DATA",
            message: expect.stringContaining('"list"'),
          }),
        ]);
        expect(JSON.parse(await ada.get("/session")).data).toEqual({ name: "ada", n: 1 });
      },
    );

    test.each(["/keep", "/keep-written"])("is not stored for a new visitor either, by %s", async (path) => {
      const errors: unknown[] = [];
      world = await startWorld({ framework, routes: (app) => routes(app, errors) });
      const bob = world.browser();
      expect((await post(bob, path, what)).status).toBe(200);
      await expect.poll(() => errors).toMatchObject([{ code: "SESSION_INVALID_DATA" }]);
      expect(JSON.parse(await bob.get("/session")).data).toEqual({});
    });
  });
});

test("an application's own middleware over store() is answered as well, and destroys nothing", async () => {
  const errors: unknown[] = [];
  const sessions = liveSessions({ store: memoryStore(), secret });
  const app = express();
  const options = { secret, resave: false, saveUninitialized: false, unset: "destroy" } as const;
  app.use(express.json(), session({ ...options, store: sessions.store() }));
  app.get("/name", (req, res) => {
    req.session.name ??= "ada";
    res.json(req.session);
  });
  routes(app, errors);
  const http = app.listen(0, "127.0.0.1");
  await once(http, "listening");
  const ada = new Browser(`http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    http.closeAllConnections();
    http.close();
    await sessions.close();
  });
  await ada.get("/name");
  expect((await post(ada, "/keep", "4,000 levels")).status).toBe(200);
  await expect.poll(() => errors).toMatchObject([{ code: "SESSION_INVALID_DATA" }]);
  expect(JSON.parse(await ada.get("/name"))).toMatchObject({ name: "ada" });
  expect(JSON.parse(await ada.get("/name"))).not.toHaveProperty("n");
});
