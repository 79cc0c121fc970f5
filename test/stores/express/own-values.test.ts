/** Values that a store of express-session adds to its sessions outlive our writes, and are not shown. */
import MongoStore from "connect-mongo";
import session from "express-session";
import { Decimal128, Long, ObjectId } from "mongodb";
import { afterEach, describe, expect, it } from "vitest";
import { withOwnValues } from "../../../src/stores/express/own-values.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { withService } from "../../setup/services.ts";
import { installHandlers } from "../../support/handlers.ts";
import { namespaceKinds, transportKinds } from "../../support/matrix.ts";
import { startWorld, type World } from "../../support/world.ts";
import { databaseOfTest } from "../mongodb/databases.ts";
import { keyOf } from "../session-keys.ts";
import { StampingStore } from "./fixtures/stamping-store.ts";

let world: World | undefined;
afterEach(async () => {
  await world?.close();
  world = undefined;
});

describe("values that are not JSON", () => {
  const at = new Date("2030-01-01T00:00:00.000Z");
  const id = new ObjectId();
  const cookie = {};
  const json = (value: object) => JSON.parse(JSON.stringify(value));
  const written = (own: object, change: (data: ReturnType<typeof json>) => void) => {
    const next = json({ cookie, ...own });
    change(next);
    const { cookie: _cookie, ...data } = withOwnValues(next, { cookie, ...own }) as Record<string, unknown>;
    return data;
  };

  it("stay where nothing was written, also within a written value", () => {
    const own = {
      at,
      user: { id, since: at, roles: [id, { at }] },
      total: new Decimal128("1.50"),
      big: new Long(7),
    };
    expect(written(own, (data) => Object.assign(data.user, { name: "ada" }))).toStrictEqual({
      ...own,
      user: { ...own.user, name: "ada" },
    });
  });

  it("stay when they are moved, as in a list that loses its first", () => {
    const own = { ids: [id, new ObjectId(), new ObjectId()], log: [{ at: new Date(0) }, { at }] };
    const changed = written(own, (data) => {
      data.ids.shift();
      data.log.shift();
    });
    expect(changed).toStrictEqual({ ids: own.ids.slice(1), log: own.log.slice(1) });
  });

  it("stay in the lines of a cart that loses its first, of which another is changed, or that gets one more", () => {
    const line = (price: string, n: number) => ({ price: new Decimal128(price), n });
    const cart = [line("1.50", 1), line("2.50", 2), line("3.50", 3)];
    expect(written({ cart }, (data) => data.cart.shift())).toStrictEqual({ cart: cart.slice(1) });
    const changed = written({ cart }, (data) => Object.assign(data.cart[1], { n: 5 }));
    expect(changed).toStrictEqual({ cart: [cart[0], line("2.50", 5), cart[2]] });
    const bare = { price: { $numberDecimal: "2.50" }, n: 2 };
    expect(written({ cart: [cart[0]] }, (data) => data.cart.push(bare))).toStrictEqual({
      cart: [cart[0], bare],
    });
  });

  it("are never mixed up: a value without JSON of its own is left as JSON if it is ambiguous", () => {
    const own = { patterns: [/a/, /b/], same: [/c/, /c/], filters: [{ p: /a/ }, { p: /b/ }], n: 1 };
    expect(
      written(own, (data) => {
        data.patterns.shift();
        data.same.shift();
        data.filters.shift();
      }),
    ).toStrictEqual({ patterns: [{}], same: [/c/], filters: [{ p: {} }], n: 1 });
    expect(written(own, (data) => data.patterns.unshift({}))).toStrictEqual({
      ...own,
      patterns: [{}, {}, {}],
    });
    expect(written(own, (data) => Object.assign(data, { n: 2 }))).toStrictEqual({ ...own, n: 2 });
  });

  it("include numbers that are not finite", () => {
    const own = { rate: Number.NaN, limits: [1, Number.NEGATIVE_INFINITY, { max: Infinity, n: 1 }] };
    expect(written(own, (data) => Object.assign(data, { n: 1 }))).toStrictEqual({ ...own, n: 1 });
    expect(written(own, (data) => Object.assign(data.limits[2], { n: 2 }))).toStrictEqual({
      ...own,
      limits: [1, Number.NEGATIVE_INFINITY, { max: Infinity, n: 2 }],
    });
    expect(written(own, (data) => Object.assign(data, { rate: 1 }))).toStrictEqual({ ...own, rate: 1 });
  });

  it("are not made of a text in another place with the same letters", () => {
    const own = { user: { id }, at, list: [id] };
    const label = id.toHexString();
    const changed = written(own, (data) => {
      Object.assign(data, { label, note: at.toJSON() });
      Object.assign(data.user, { name: label });
      data.list.push(label);
    });
    expect(changed).toStrictEqual({
      user: { id, name: label },
      at,
      label,
      note: at.toJSON(),
      list: [id, label],
    });
  });

  it("cost no more than the session is large", () => {
    const own = { at, list: Array.from({ length: 100_000 }, (_, n) => n), dates: Array(20_000).fill(at) };
    const changed = written(own, (data) => data.list.shift() + data.dates.shift());
    expect(changed.dates).toStrictEqual(own.dates.slice(1));
  });

  it("stay dates when they become other dates, and disappear when they become something else", () => {
    const later = new Date(at.getTime() + 1);
    expect(
      written({ at, till: at }, (data) => Object.assign(data, { at: later.toJSON(), till: "noon" })),
    ).toStrictEqual({
      at: later,
      till: "noon",
    });
  });

  it("are not made of equal texts", () => {
    const own = { at, label: at.toJSON(), pattern: /x/, options: {} };
    expect(written(own, (data) => Object.assign(data, { n: 1 }))).toStrictEqual({ ...own, n: 1 });
  });

  it("don't come from a prototype", () => {
    const own = JSON.parse('{"__proto__":{"at":1},"toString":2}');
    const changed = written({ ...own, at }, (data) => Object.assign(data, { n: 1 }));
    expect(Object.keys(changed).sort()).toEqual(["__proto__", "at", "n", "toString"]);
  });
});

describe.each([withService("mongodb"), withService("mongodb-replica")])("server %#", (server) => {
  server.describe("over connect-mongo with stringify: false", () => {
    it("a request and a socket leave dates and ids in the database unchanged", async () => {
      const { client, name } = await databaseOfTest(server.url);
      const store = MongoStore.create({ client, dbName: name, stringify: false });
      const seen: unknown[] = [];
      world = await startWorld({
        store,
        cookie: { maxAge: 60_000 },
        sockets: (io) => installHandlers(io),
        routes: (app) =>
          app.get("/at", (req, res) => void res.json(seen.push(Reflect.get(req.session, "at")))),
      });
      const ada = await world.visitor({ name: "ada" });
      const sessions = client.db(name).collection("sessions");
      const own = { at: new Date(1_800_000_000_000), userId: new ObjectId() };
      await sessions.updateOne({}, { $set: { "session.at": own.at, "session.user": { id: own.userId } } });
      await ada.post("/write", { n: 1 });
      await (await ada.connect()).emitWithAck("increment");
      await ada.get("/at");
      const stored = (await sessions.findOne())?.session;
      expect(stored).toMatchObject({ at: own.at, user: { id: own.userId }, n: 2, name: "ada" });
      expect(stored.cookie.expires).toBeInstanceOf(Date); // as express-session hands it over
      expect(seen).toEqual([own.at.toJSON()]); // what the documentation says of req.session
    });
  });

  server.describe("over connect-mongo with touchAfter", () => {
    it("a touch is not a change, and its stamp is the store's", async () => {
      const { client, name } = await databaseOfTest(server.url);
      const store = MongoStore.create({ client, dbName: name, touchAfter: 0.001 });
      await expectNoChange(store, ["websocket"], "/");
      const stored = await client.db(name).collection("sessions").findOne();
      expect(stored?.lastModified).toBeInstanceOf(Date);
      expect(JSON.parse(stored?.session)).not.toHaveProperty("lastModified");
    });
  });
});

/** Requests and an event touch the session, and the store's stamp moves each time; then one key is written. */
async function expectNoChange(store: session.Store, transports: string[], namespace: string): Promise<void> {
  const changes: unknown[] = [];
  world = await startWorld({
    store,
    touchIntervalMs: 0,
    sockets: (io, sessions) => {
      installHandlers(io, (socket) => socket.session.on("change", (data) => changes.push(data)));
      sessions.on("change", ({ data }) => changes.push(data));
    },
  });
  const ada = await world.visitor({ name: "ada" });
  const socket = await ada.connect(namespace, { transports });
  for (const touches of [1, 2, 3]) {
    await ada.get("/session");
    await socket.emitWithAck("read");
    await expect.poll(() => world?.sessions.stats().touches).toBeGreaterThan(touches);
  }
  expect(changes).toEqual([]);
  await ada.post("/write", { n: 1 });
  expect(changes).toEqual([
    { name: "ada", n: 1 },
    { name: "ada", n: 1 },
  ]);
  expect(await socket.emitWithAck("read")).toEqual({ name: "ada", n: 1 });
}

describe.each(transportKinds)("stamps of a store, by $name", ({ transports }) => {
  it.each(namespaceKinds)("are not a change of the session, in $name", async ({ namespace }) => {
    const store = new StampingStore();
    await expectNoChange(store, [...transports], namespace);
    const [text = ""] = store.texts();
    expect(JSON.parse(text)).toMatchObject({ name: "ada", n: 1, __lastAccess: store.lastAccess });
  });
});

describe("stamps", () => {
  const key = keyOf("a session");

  it("survive a write of a store that does not renew them", async () => {
    const inner = new session.MemoryStore();
    const cookie = { originalMaxAge: null, expires: null };
    Reflect.apply(inner.set, inner, [key.sid, { cookie, n: 1, __lastAccess: 5 }]);
    const store = fromExpressStore(inner);
    const found = await store.read(key);
    expect(found?.document).toEqual({ cookie, n: 1 });
    await store.replace(key, found?.revision ?? "", { cookie, n: 2 }, "keep");
    const kept = await new Promise((resolve) => inner.get(key.sid, (_error, data) => resolve(data)));
    expect(kept).toMatchObject({ n: 2, __lastAccess: 5 });
  });

  it("are not an application's values of the same name, over a store without stamps", async () => {
    const store = fromExpressStore(new session.MemoryStore());
    const first = await store.create(key, { cookie: {}, lastModified: "yesterday" }, Date.now() + 60_000);
    const found = await store.read(key);
    expect(found).toMatchObject({ revision: first, document: { lastModified: "yesterday" } });
    const second = await store.replace(key, first ?? "", { cookie: {}, lastModified: "today" }, "keep");
    expect(second).not.toBe(first);
  });
});
