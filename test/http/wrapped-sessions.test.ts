/** Sessions, documents and requests behind proxies, in copies that keep their descriptors, and that take no properties. */
import type { RequestHandler, Request as Sent } from "express";
import type { Store } from "express-session";
import { type LiveSessions, liveSessions, type SessionStore } from "socket-session";
import { memoryStore } from "socket-session/memory";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { secret, startWorld, type World } from "../support/world.ts";

/** As libraries that watch an object have it: what is read of the proxy is a proxy, too. */
function watched<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_target, key) {
      const value: unknown = Reflect.get(target, key);
      const isFixed = Object.getOwnPropertyDescriptor(target, key)?.configurable === false;
      return typeof value === "object" && value !== null && !isFixed ? watched(value) : value;
    },
  });
}

/** Expects the name of each property to be text. */
function textual<T extends object>(target: T): T {
  return new Proxy(target, {
    get(_target, key) {
      const name = key as string;
      const value: unknown = name.startsWith("$") ? undefined : Reflect.get(target, key);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
}

describe.each([
  ["a proxy of all that it holds", watched],
  ["a proxy that expects text", textual],
] as const)("%s", (_name, wrap) => {
  let world: World;
  afterEach(() => world.close());

  async function stored(route: RequestHandler): Promise<unknown> {
    world = await startWorld({ routes: (app) => app.post("/route", route) });
    const visitor = await world.visitor({ n: 1, list: [1] });
    const { status } = await visitor.request("/route", { method: "POST" });
    return { status, ...JSON.parse(await visitor.get("/session")) };
  }

  test("of a session: its changes are saved at the end of the response", async () => {
    const found = await stored((req, res) => {
      req.session = wrap(req.session);
      Object.assign(req.session, { n: 2 });
      res.end();
    });
    expect(found).toMatchObject({ status: 200, data: { n: 2, list: [1] } });
  });

  test("of a session: its changes are saved by `save`", async () => {
    const found = await stored((req, res) => {
      req.session = wrap(req.session);
      Object.assign(req.session, { n: 2 });
      world.sessions.store().set(req.session.id, req.session, (error) => res.status(error ? 500 : 200).end());
    });
    expect(found).toMatchObject({ status: 200, data: { n: 2, list: [1] } });
  });

  test.each<[string, (req: Sent) => Sent]>([
    ["a session", (req) => Object.assign(req, { session: wrap(req.session) })],
    ["a request", wrap],
    ["a request that was seen before", (req) => wrap(world.sessions.of(req) && req)],
  ])("of %s: an update changes it", async (_what, of) => {
    const found = await stored(async (req, res) => {
      await world.sessions.of(of(req)).update((data) => {
        data.n = 9;
      });
      res.end();
    });
    expect(found).toMatchObject({ status: 200, data: { n: 9, list: [1] } });
  });
});

describe("of a document that a store hands out", () => {
  const cookie = () => ({ originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000).toISOString() });
  /** What is done to the documents that the store reads. */
  let handled: (document: object) => void;
  let here: LiveSessions;
  let elsewhere: LiveSessions;

  beforeEach(async () => {
    const inner = memoryStore();
    const store = new Proxy(inner, {
      get(_target, name) {
        const value: unknown = Reflect.get(inner, name, inner); // with the store as `this`, for its private fields
        if (name === "read") return read;
        return typeof value === "function" ? value.bind(inner) : value;
      },
    });
    const read: SessionStore["read"] = async (key) => {
      const found = await inner.read(key);
      if (found) handled(found.document);
      return found;
    };
    handled = () => {};
    here = liveSessions({ store, secret });
    elsewhere = liveSessions({ store: inner, secret });
    await saved(elsewhere, { cookie: cookie(), n: 0, m: 0 });
  });
  afterEach(async () => {
    await here.close();
    await elsewhere.close();
  });

  test("copies with its descriptors are compared with it each for itself", async () => {
    const document = await got(here);
    const copies = [0, 1].map(() => Object.defineProperties({}, Object.getOwnPropertyDescriptors(document)));
    await saved(here, Object.assign(copies[0] ?? {}, { n: 1 }));
    await saved(here, Object.assign(copies[1] ?? {}, { m: 1 }));
    expect(await got(elsewhere)).toMatchObject({ n: 1, m: 1 });
  });

  test("a touch of such a copy saves what it changed", async () => {
    const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(await got(here)));
    Object.assign(copy, { n: 1 });
    await new Promise<void>((resolve) => here.store().touch?.("a", copy as never, resolve));
    expect(await got(elsewhere)).toMatchObject({ n: 1, m: 0 });
  });

  test.each<[string, (document: { cookie?: object }) => void]>([
    ["a sealed document", Object.seal],
    ["a sealed cookie", ({ cookie }) => Object.seal(cookie)],
  ])("%s keeps its base", async (_name, handle) => {
    handled = handle;
    const document = await got(here);
    await saved(elsewhere, { ...(await got(elsewhere)), m: 1 });
    await saved(here, { ...document, n: 1 });
    expect(await got(elsewhere)).toMatchObject({ n: 1, m: 1 });
  });

  test("a frozen copy that is saved twice changes nothing the second time", async () => {
    const copy = Object.freeze({ ...(await got(here)), n: 1 });
    await saved(here, copy);
    await saved(elsewhere, { ...(await got(elsewhere)), n: 5 });
    await saved(here, copy);
    expect(await got(elsewhere)).toMatchObject({ n: 5 });
  });
});

function saved(sessions: LiveSessions, values: object): Promise<unknown> {
  return new Promise((resolve) => sessions.store().set("a", values as never, resolve));
}

function got(sessions: LiveSessions): Promise<object> {
  const store: Pick<Store, "get"> = sessions.store();
  return new Promise((resolve) => store.get("a", (_error, found) => resolve(found ?? {})));
}
