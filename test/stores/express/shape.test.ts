/** The arguments of third-party stores: they must not be able to tell them from those of `express-session`. */
import session from "express-session";
import { expect, it, vi } from "vitest";
import type { ExpressStore } from "../../../src/stores/express/shape.ts";
import { fromExpressStore } from "../../../src/stores/express/store.ts";
import { keyOf } from "../session-keys.ts";
import { TtlStore } from "./fixtures/ttl-store.ts";

const key = keyOf("a session");
const HOUR = 3_600_000;
const later = (ms = HOUR) => Date.now() + ms;

function wrapped(changed: Partial<ExpressStore>) {
  const nothing: ExpressStore = {
    get: (_sid, callback) => callback(),
    set: (_sid, _session, callback) => callback(),
    destroy: (_sid, callback) => callback(),
  };
  return fromExpressStore({ ...nothing, ...changed }, { ttlMs: HOUR });
}

function isSessionData(value: object): value is session.SessionData {
  return "cookie" in value;
}

it("is the one that express-session would pass", async () => {
  const handed: session.SessionData[] = [];
  const set: ExpressStore["set"] = (_sid, given, callback) => {
    if (isSessionData(given)) handed.push(given);
    callback();
  };
  const own = Object.assign(new session.Cookie(), { sameSite: "lax", path: "/app", maxAge: HOUR });
  const expires = own.expires ?? new Date(0);
  const cookie = JSON.parse(JSON.stringify(own));
  await wrapped({ set }).create(key, { cookie, n: 1 }, expires.getTime());
  const [given] = handed;
  expect(JSON.stringify(given)).toBe(JSON.stringify({ cookie: own, n: 1 }));
  expect(given?.cookie.expires).toEqual(expires);
  expect(given?.cookie.originalMaxAge).toBe(own.originalMaxAge); // which may be a millisecond short of HOUR
  expect(given?.cookie.maxAge).toBeGreaterThan(HOUR - 10_000);
  expect(given?.cookie.maxAge).toBeLessThanOrEqual(HOUR);
});

it("has a deadline also for a browser-session cookie, whose JSON has none", async () => {
  const inner = new TtlStore();
  const until = later(5000);
  const own = new session.Cookie();
  await fromExpressStore(inner, { ttlMs: HOUR }).create(
    key,
    { cookie: JSON.parse(JSON.stringify(own)) },
    until,
  );
  expect(inner.entries.get(key.sid)).toEqual({ text: JSON.stringify({ cookie: own }), expiresAt: until });
});

it("writes the new deadline over the document's old one", async () => {
  const store = fromExpressStore(new session.MemoryStore(), { ttlMs: HOUR });
  const cookie = { originalMaxAge: HOUR, expires: new Date(later(1000)).toISOString() };
  const until = later();
  await store.create(key, { cookie }, until);
  expect((await store.read(key))?.document.cookie.expires).toBe(new Date(until).toISOString());
});

it("passes touch the session from the store's own get", async () => {
  const lastModified = new Date();
  const touch = vi.fn<NonNullable<ExpressStore["touch"]>>((_sid, _session, callback) => callback());
  const store = wrapped({
    get: (_sid, callback) => callback(null, { cookie: {}, lastModified }),
    touch,
  });
  await store.touch(key, later(), {});
  expect(touch.mock.calls[0]?.[1]).toMatchObject({ lastModified });
});
