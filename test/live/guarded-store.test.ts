import { expect, test } from "vitest";
import { guardedStore } from "../../src/live/guarded-store.ts";
import type { SessionStore } from "../../src/session-store.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { cookie, nameOf } from "./live-set.ts";

const key = nameOf("a secret id");
const other = nameOf("another secret id");

/** All operations over a store whose every method does as `answer` does. */
function operationsOf(answer: () => Promise<never>) {
  const clock = new ManualClock();
  const store: SessionStore = Object.assign(memoryStore({ clock }), {
    name: "broken",
    read: answer,
    readMany: answer,
    create: answer,
    replace: answer,
    touch: answer,
    destroy: answer,
    listByUser: answer,
    putTicket: answer,
    takeTicket: answer,
    all: answer,
    count: answer,
    clear: answer,
  });
  const guarded = guardedStore(store, clock, 10_000);
  const operations: [operation: string, names: string | undefined, run: () => Promise<unknown>][] = [
    ["read", key.publicId, () => guarded.read(key)],
    ["read", "2 sessions", () => guarded.readMany([key, other])],
    ["create", key.publicId, () => guarded.create(key, { cookie }, 1)],
    ["replace", key.publicId, () => guarded.replace(key, "revision", { cookie }, "keep")],
    ["touch", key.publicId, () => guarded.touch(key, 1, cookie)],
    ["destroy", key.publicId, () => guarded.destroy(key, "destroyed")],
    ["listByUser", undefined, () => guarded.listByUser("ada")],
    ["putTicket", undefined, () => guarded.putTicket("a secret id", "another secret id", 1)],
    ["takeTicket", undefined, () => guarded.takeTicket("a secret id")],
    ["all", undefined, () => guarded.all()],
    ["count", undefined, () => guarded.count()],
    ["clear", undefined, () => guarded.clear()],
  ];
  return { clock, operations };
}

const failureOf = (outcome: Promise<unknown>) => outcome.then(() => undefined).catch((error: Error) => error);

test("a driver's error becomes the cause of one that names store, operation and public id, never the id", async () => {
  const cause = new Error("cannot write a secret id or another%20secret%20id");
  for (const [operation, names, run] of operationsOf(() => Promise.reject(cause)).operations) {
    const error = await failureOf(run());
    expect(error, operation).toMatchObject({ code: "STORE_FAILED", cause });
    expect(error?.message).toContain(`The ${operation}`);
    expect(error?.message).toContain("in the broken store failed: Error. See its cause.");
    expect(error?.message).not.toContain("secret");
    if (names !== undefined) expect(error?.message).toContain(names);
  }
});

test("an operation that a driver leaves hanging ends after storeTimeoutMs", async () => {
  const { clock, operations } = operationsOf(() => new Promise<never>(() => {}));
  for (const [operation, names = "", run] of operations) {
    let error: Error | undefined;
    const ended = failureOf(run()).then((failure) => {
      error = failure;
    });
    await clock.advance(9_999);
    expect(error, operation).toBeUndefined();
    await clock.advance(1);
    await ended;
    expect(error, operation).toMatchObject({ code: "STORE_TIMEOUT" });
    expect(error).toHaveProperty("message", expect.stringContaining(names));
  }
});

const nested = (levels: number) => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const storedDeeply = (levels: number) => ({
  document: { cookie, deep: nested(levels) },
  expiresAt: 1,
  revision: 1,
});

test("a session that is nested too deeply is unreadable, over any store, and alone", async () => {
  const clock = new ManualClock();
  const found = [storedDeeply(500), storedDeeply(5_000)];
  const store: SessionStore = Object.assign(memoryStore({ clock }), {
    name: "other",
    read: async () => storedDeeply(5_000),
    readMany: async () => found,
    listByUser: async () => found.map((stored, n) => ({ sid: String(n), since: 0, stored })),
  });
  const guarded = guardedStore(store, clock, 10_000);
  const unreadable = { code: "SESSION_UNREADABLE", message: expect.stringContaining("512 levels") };
  await expect(guarded.read(key)).rejects.toMatchObject(unreadable);
  await expect(guarded.read(key)).rejects.toThrow(`The read of session ${key.publicId} in the other store`);
  await expect(guarded.readMany([key, other])).rejects.toMatchObject(unreadable);
  expect((await guarded.listByUser("ada")).map(({ stored }) => stored)).toEqual([found[0], null]);
});

test("an unsupported operation is refused in the store's name", async () => {
  const { listByUser: _list, putTicket: _put, takeTicket: _take, ...others } = allOf(memoryStore());
  const { all: _all, count: _count, clear: _clear, ...rest } = others;
  const guarded = guardedStore({ ...rest, name: "small" }, new ManualClock(), 10_000);
  const unsupported = { code: "STORE_UNSUPPORTED", message: expect.stringContaining("small store has no ") };
  const ofTickets = [guarded.putTicket("an id", "{}", 1), guarded.takeTicket("an id")];
  const ofSessions = [guarded.listByUser("ada"), guarded.all(), guarded.count(), guarded.clear()];
  for (const attempt of [...ofTickets, ...ofSessions])
    await expect(attempt).rejects.toMatchObject(unsupported);
  expect(guarded.keepsTickets).toBe(false);
});

test("a ticket goes to one of many nodes", async () => {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const [first, ...others] = Array.from({ length: 4 }, () => guardedStore(store, clock, 10_000));
  expect(first?.keepsTickets).toBe(true);
  await first?.putTicket("an id", "{}", clock.now() + 1);
  const taken = await Promise.all(others.map((node) => node.takeTicket("an id")));
  expect(taken).toEqual(["{}", null, null]);
});

/** A store's methods as own properties. */
function allOf(store: SessionStore): SessionStore {
  const names = Object.getOwnPropertyNames(Object.getPrototypeOf(store)).filter(
    (one) => one !== "constructor",
  );
  const methods = names.map((name) => [name, Reflect.get(store, name).bind(store)]);
  return { ...store, ...Object.fromEntries(methods) };
}

test("a value that can't even be looked at is reported as any other failure", async () => {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  const rejecting = () => Promise.reject(proxy);
  const throwing = () => {
    throw proxy;
  };
  for (const answer of [rejecting, throwing])
    for (const [operation, , run] of operationsOf(answer).operations)
      expect(await failureOf(run()), operation).toMatchObject({ code: "STORE_FAILED" });
});
