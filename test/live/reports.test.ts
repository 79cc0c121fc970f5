/** Reports of a store that keeps failing: one, not one for each attempt. */
import { expect, test } from "vitest";
import { unreadableError } from "../../src/base/errors.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { listening, liveSet, stored } from "./live-set.ts";

const down = (code: string) => Object.assign(new Error("connect 127.0.0.1:1"), { code });

/** A store whose feed and reads fail as they are told to. */
function failing() {
  const clock = new ManualClock();
  const store = memoryStore({ clock });
  const { changes, read } = store;
  const failures: { feed: Error | undefined; read: Error | undefined } = { feed: undefined, read: undefined };
  let broken: (error: unknown) => void = () => {};
  let missed = () => {};
  store.changes = async (listener, options) => {
    broken = (error) => listener.broken(error);
    missed = () => listener.missed();
    if (failures.feed) broken(failures.feed);
    return (await changes?.call(store, listener, options)) ?? (async () => {});
  };
  store.read = async (key) => {
    if (failures.read) throw failures.read;
    return read.call(store, key);
  };
  return { clock, store, failures, breakFeed: (error: unknown) => broken(error), healFeed: () => missed() };
}

const codesOf = (errors: readonly unknown[]) =>
  errors.map((error) => {
    const { code, cause } = Object(error);
    return `${code} ${Object(cause).code}`;
  });

test("a feed that can't be opened: once, again when the reason changes, and again after it was whole", async () => {
  const { clock, store, failures, breakFeed, healFeed } = failing();
  failures.feed = down("ECONNREFUSED");
  const set = liveSet(store, clock);
  await clock.advance(60_000);
  expect(codesOf(set.errors)).toEqual(["STORE_FEED_BROKEN ECONNREFUSED"]);
  breakFeed(down("28P01"));
  expect(codesOf(set.errors)).toEqual(["STORE_FEED_BROKEN ECONNREFUSED", "STORE_FEED_BROKEN 28P01"]);
  healFeed();
  await settle();
  expect(set.hub.freshness.feed.state).toBe("whole");
  for (let round = 1; round <= 2; round++) {
    breakFeed(down("28P01"));
    breakFeed(down("28P01"));
    healFeed();
    await settle();
    expect(set.errors).toHaveLength(2 + round);
  }
  await set.hub.close();
});

test("sessions that can't be read while the store is down: once, however many, and again after it was up", async () => {
  const { clock, store, failures, breakFeed, healFeed } = failing();
  const set = liveSet(store, clock);
  await settle();
  for (const sid of ["a", "b", "c"])
    await set.hub.reads.load(set.hub.observe(await stored(set, sid), listening()));
  for (let round = 1; round <= 2; round++) {
    set.errors.length = 0;
    failures.read = down("ECONNREFUSED");
    breakFeed(down("ECONNRESET"));
    healFeed();
    await clock.advance(20_000);
    expect(codesOf(set.errors)).toEqual(["STORE_FEED_BROKEN ECONNRESET", "STORE_FAILED ECONNREFUSED"]);
    failures.read = down("ETIMEDOUT");
    await clock.advance(20_000);
    expect(codesOf(set.errors.slice(2))).toEqual(["STORE_FAILED ETIMEDOUT"]);
    failures.read = undefined;
    await clock.advance(20_000);
    expect(set.hub.freshness.feed.state).toBe("whole");
    expect(set.errors).toHaveLength(3);
  }
  await set.hub.close();
});

test("a store without a feed that is down: once", async () => {
  const { clock, store, failures } = failing();
  Reflect.set(store, "changes", undefined);
  const set = liveSet(store, clock);
  const observer = listening();
  await set.hub.reads.load(set.hub.observe(await stored(set, "a"), observer));
  failures.read = down("ECONNREFUSED");
  await clock.advance(59_000);
  expect(codesOf(set.errors)).toEqual(["STORE_FAILED ECONNREFUSED"]);
  await set.hub.close();
});

test("one session that can't be read among others that can: once, and again after it could be", async () => {
  const { clock, store } = failing();
  Reflect.set(store, "changes", undefined);
  const set = liveSet(store, clock);
  const { read } = store;
  let isDamaged = false;
  store.read = (key) => {
    if (isDamaged && key.sid === "a") return Promise.reject(unreadableError("text that is not JSON"));
    return read.call(store, key);
  };
  for (const sid of ["a", "b"])
    await set.hub.reads.load(set.hub.observe(await stored(set, sid), listening()));
  for (let round = 1; round <= 2; round++) {
    isDamaged = true;
    for (let reads = 0; reads < 3; reads++) await set.hub.freshness.revalidateAll();
    expect(set.errors.map((error) => Object(error).code)).toEqual(Array(round).fill("SESSION_UNREADABLE"));
    isDamaged = false;
    await set.hub.freshness.revalidateAll();
  }
  await set.hub.close();
});
