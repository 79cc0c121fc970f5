/** Behaviour of third-party stores that the interface does not define, and their arguments. */
import { EventEmitter } from "node:events";
import session from "express-session";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { ExpressStore } from "../../../src/stores/express/shape.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import { TtlStore } from "./fixtures/ttl-store.ts";

const key = keyOf("a session");
const HOUR = 3_600_000;
const later = (ms = HOUR) => Date.now() + ms;

function storeWith(changed: Partial<ExpressStore>, options: { operationTimeoutMs?: number } = {}) {
  const inner = new session.MemoryStore();
  const store: ExpressStore = {
    get: inner.get.bind(inner),
    set: inner.set.bind(inner),
    destroy: inner.destroy.bind(inner),
    ...changed,
  };
  return fromExpressStore(store, { ttlMs: HOUR, ...options });
}

describe("answers", () => {
  const failure = new Error("the database is down");

  it("rejects with the error that a store throws, calls back with, or rejects with", async () => {
    const ways: ExpressStore["get"][] = [
      () => {
        throw failure;
      },
      (_sid, callback) => callback(failure),
      (_sid, callback) => void setImmediate(callback, failure),
      () => Promise.reject(failure),
    ];
    for (const get of ways) await expect(storeWith({ get }).read(key)).rejects.toBe(failure);
  });

  it("takes the first of several answers", async () => {
    const get: ExpressStore["get"] = (_sid, callback) => {
      callback(null, null);
      callback(failure);
      throw failure;
    };
    expect(await storeWith({ get }).read(key)).toBeNull();
  });

  it("treats no session, false and ENOENT as a missing session", async () => {
    const missing = Object.assign(new Error("no such file"), { code: "ENOENT" });
    for (const answer of [[], [null], [null, null], [null, false], [missing]]) {
      expect(await storeWith({ get: (_sid, callback) => callback(...answer) }).read(key)).toBeNull();
    }
    expect(
      await storeWith({ destroy: (_sid, callback) => callback(missing) }).destroy(key, "destroyed"),
    ).toBe(false);
  });

  it("lets `get` decide the meaning of an error of touch", async () => {
    const store = storeWith({ touch: (_sid, _session, callback) => callback(failure) });
    await store.create(key, { cookie: {} }, later());
    await expect(store.touch(key, later(2 * HOUR), {})).rejects.toBe(failure);

    let gets = 0;
    const vanishing = storeWith({
      get(_sid, callback) {
        gets += 1;
        callback(null, gets === 1 ? { cookie: {} } : null);
      },
      touch: (_sid, _session, callback) => callback(failure),
    });
    expect(await vanishing.touch(key, later(2 * HOUR), {})).toBe(false);
  });

  it("destroys a session whose document cannot be read", async () => {
    const destroy = vi.fn<ExpressStore["destroy"]>((_sid, callback) => callback());
    const store = storeWith({
      get: (_sid, callback) => callback(new SyntaxError("Unexpected end")),
      destroy,
    });
    expect(await store.destroy(key, "destroyed")).toBe(true);
    expect(destroy).toHaveBeenCalledWith(key.sid, expect.any(Function));
  });

  it("is not blocked by an operation that never answers", async () => {
    let sets = 0;
    const inner = new session.MemoryStore();
    const set: ExpressStore["set"] = (sid, given, callback) => {
      sets += 1;
      if (sets > 1) Reflect.apply(inner.set, inner, [sid, given, callback]);
    };
    const store = storeWith({ get: inner.get.bind(inner), set }, { operationTimeoutMs: 20 });
    const first = store.create(key, { cookie: {}, n: 1 }, later());
    const second = store.create(key, { cookie: {}, n: 2 }, later());
    await expect(first).rejects.toMatchObject({
      code: "STORE_TIMEOUT",
      message: expect.stringMatching(
        /\.set to call back, but it has not within 20 ms\. .* operationTimeoutMs/,
      ),
    });
    expect(await second).not.toBeNull();
    expect((await store.read(key))?.document.n).toBe(2);
  });

  it("can't read a session without a cookie, nor can express-session, but destroys it", async () => {
    const inner = new session.MemoryStore();
    Reflect.apply(inner.set, inner, [key.sid, { n: 1 }]);
    const store = fromExpressStore(inner);
    await expect(store.read(key)).rejects.toMatchObject({ code: "SESSION_UNREADABLE" });
    expect(await store.destroy(key, "destroyed")).toBe(true);
    expect(await store.read(key)).toBeNull();
  });

  it("reads no session whose id is new, and each that it has stored itself", async () => {
    const inner = new session.MemoryStore();
    const get = vi.fn<ExpressStore["get"]>(inner.get.bind(inner));
    const store = storeWith({
      get,
      set: inner.set.bind(inner),
      destroy: inner.destroy.bind(inner),
    });
    expect(await store.destroy(key, "replaced", true)).toBe(false);
    expect(await store.create(key, { cookie: {} }, later(), undefined, true)).not.toBeNull();
    expect(get).not.toHaveBeenCalled();
    expect(await store.create(key, { cookie: {}, n: 2 }, later(), undefined, true)).toBeNull();
    expect(await store.destroy(key, "replaced", true)).toBe(true);
    expect(get).toHaveBeenCalledTimes(2);
    await store.create(key, { cookie: {} }, later());
    expect(get).toHaveBeenCalledTimes(3);
  });
});

describe("deadlines", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: 1_800_000_000_000 });
  });
  afterEach(() => {
    vi.useRealTimers();
  });
  const cookieUntil = (expiresAt: number) => ({
    originalMaxAge: HOUR,
    expires: new Date(expiresAt).toISOString(),
  });

  it("takes the later of the document's and its own last touch", async () => {
    const store = fromExpressStore(new TtlStore(), { ttlMs: HOUR });
    const created = later();
    await store.create(key, { cookie: cookieUntil(created) }, created);
    vi.setSystemTime(Date.now() + HOUR / 2);
    const touched = later();
    expect(await store.touch(key, touched, cookieUntil(touched))).toBe(true);
    const found = await store.read(key);
    expect(found?.expiresAt).toBe(touched);
    expect(found?.document.cookie.expires).toBe(new Date(created).toISOString());
  });

  it("returns a deadline in the past while the store still has a session that another process touched", async () => {
    const shared = new TtlStore();
    const here = fromExpressStore(shared, { ttlMs: HOUR });
    const elsewhere = fromExpressStore(shared, { ttlMs: HOUR });
    const created = later();
    await here.create(key, { cookie: cookieUntil(created) }, created);
    await elsewhere.touch(key, created + HOUR, cookieUntil(created + HOUR));
    vi.setSystemTime(created + 1000);
    const found = await here.read(key);
    expect(found?.expiresAt).toBe(created);
    expect(await here.replace(key, found?.revision ?? "", { cookie: {}, n: 1 }, later())).not.toBeNull();
    vi.setSystemTime(created + 2 * HOUR);
    expect(await here.read(key)).toBeNull();
  });

  it("is half a life from now for a document that says nothing, by its own life time or the default", async () => {
    const reading = async (cookie: object) =>
      (await storeWith({ get: (_sid, callback) => callback(null, { cookie }) }).read(key))?.expiresAt;
    expect(await reading({ originalMaxAge: null, expires: null })).toBe(later(HOUR / 2));
    expect(await reading({ originalMaxAge: 5000, expires: null })).toBe(later(2500));
    expect(await reading({ originalMaxAge: 5000, expires: new Date(later(3000)) })).toBe(later(3000));
  });

  it("remembers touches only until their time has passed", async () => {
    const time = new SetClock();
    const timers = new StoppedTimers(time);
    const store = fromExpressStore(new TtlStore(), { ttlMs: HOUR, clock: timers });
    const until = time.now() + 1000;
    for (let i = 0; i < 3; i += 1) await store.create(keyOf(`${i}`), { cookie: {} }, until);
    expect(timers.pendingCount).toBe(1);
    time.advance(1000);
    timers.fire();
    expect(timers.pendingCount).toBe(0);
  });
});

describe("the rest", () => {
  it("is there only if the store has it", () => {
    const least = storeWith({});
    expect([least.all, least.count, least.clear, least.connectivity, least.changes]).toEqual(
      Array(5).fill(undefined),
    );
    const most = fromExpressStore(new session.MemoryStore(), { ttlMs: HOUR });
    for (const method of [most.all, most.count, most.clear, most.connectivity])
      expect(method).toBeTypeOf("function");
    expect(most.name).toBe("MemoryStore");
    expect(least.name).toBe("express-session store");
  });

  it("returns revisions that the order of keys and the store's additions don't change", async () => {
    const revisionOf = async (document: object) =>
      (await storeWith({ get: (_sid, callback) => callback(null, document) }).read(key))?.revision;
    const revision = await revisionOf({
      cookie: { path: "/", expires: "2030-01-01" },
      a: { x: 1, y: [{ p: 1, q: 2 }] },
    });
    expect(
      await revisionOf({
        a: { y: [{ q: 2, p: 1 }], x: 1 },
        __lastAccess: 5,
        cookie: { expires: new Date(), path: "/" },
      }),
    ).toBe(revision);
    expect(await revisionOf({ cookie: { path: "/" }, a: { x: 2, y: [{ p: 1, q: 2 }] } })).not.toBe(revision);
    expect(await revisionOf({ cookie: { path: "/x" }, a: { x: 1, y: [{ p: 1, q: 2 }] } })).not.toBe(revision);
  });

  it("accepts a list of sessions, except those that can't be read", async () => {
    const sessions = [{ id: "1", cookie: {}, n: 1 }];
    const all: ExpressStore["all"] = (callback) => callback(null, [null, { id: "0" }, ...sessions]);
    expect(await storeWith({ all }).all?.()).toEqual(sessions);
    const byId: ExpressStore["all"] = (callback) => callback(null, { a: sessions[0], b: { n: 1 }, c: 3 });
    expect(await storeWith({ all: byId }).all?.()).toEqual({ a: sessions[0] });
  });

  it("reports when the database comes and goes", () => {
    const events = new EventEmitter();
    const store = storeWith({
      on: events.on.bind(events),
      removeListener: events.removeListener.bind(events),
    });
    const states: string[] = [];
    const stop = store.connectivity?.((state) => states.push(state));
    events.emit("disconnect");
    events.emit("connect");
    stop?.();
    events.emit("disconnect");
    expect(states).toEqual(["disconnected", "connected"]);
    expect(events.listenerCount("connect")).toBe(0);
  });
});
