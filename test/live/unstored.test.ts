/** A session that was made for a guest and is not stored: the state `unstored` of a live entry. */
import { afterEach, expect, test } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { settle } from "../support/manual-clock.ts";
import { cookie, day, type LiveSet, listening, liveSet, nameOf, stored } from "./live-set.ts";

let set: LiveSet;
afterEach(() => set.hub.close());

function made(sid = "new") {
  const key = nameOf(sid);
  const { hub } = set;
  const entry = hub.entries.make(key, cookie, { since: hub.ends.birth(sid), isNewId: true });
  const observer = listening();
  hub.observe(entry, observer);
  return { key, entry, observer };
}

test("a read that finds nothing does not end it, nor does one of all sessions", async () => {
  set = liveSet();
  const { entry, observer } = made();
  expect(await set.hub.reads.load(entry)).toBeNull();
  await set.hub.freshness.revalidateAll();
  expect([entry.state.phase, observer.heard, set.hub.counts.timers]).toEqual(["unstored", [], 0]);
  expect([set.hub.entries.size, set.hub.entries.live]).toEqual([1, 0]);
});

test("its first write makes it live, and its observers see what it held before", async () => {
  set = liveSet();
  const { key, entry, observer } = made();
  const previous: unknown[] = [];
  set.hub.observe(entry, { changed: (_snapshot, before) => previous.push(before.data) });
  await set.updates.update(key, (s) => Object.assign(s, { n: 1 }));
  expect([observer.heard, previous, set.changes]).toEqual([[{ n: 1 }], [{}], [key.publicId]]);
  expect([entry.state.phase, entry.snapshot?.expiresAt]).toEqual(["live", set.clock.now() + day]);
  expect((await set.store.read(key))?.document).toMatchObject({ n: 1, cookie });
  await set.store.destroy(key, "destroyed"); // elsewhere
  await settle();
  expect(observer.heard).toEqual([{ n: 1 }, "destroyed"]);
});

test("two writes at once: one stores it, the other writes on top", async () => {
  set = liveSet();
  const { key } = made();
  const add = () => set.updates.update(key, (s) => Object.assign(s, { n: Number(s.n ?? 0) + 1 }));
  await Promise.all([add(), add(), set.saves.saveWhole(key, { fields: fieldsOf({ m: 1 }), cookie })]);
  expect((await set.store.read(key))?.document).toMatchObject({ n: 2, m: 1 });
});

test("it is over once its last observer has left: its id is given up, and nothing stores it", async () => {
  set = liveSet();
  const { key, entry, observer } = made();
  set.hub.release(entry, observer);
  expect([entry.isEnded, observer.heard, set.hub.entries.size, set.ends]).toEqual([true, [], 0, []]);
  await expect(set.updates.update(key, (s) => Object.assign(s, { n: 1 }))).rejects.toThrow("has ended");
  expect(await set.store.read(key)).toBeNull();
});

test("an update under way keeps it", async () => {
  set = liveSet();
  const { key, entry, observer } = made();
  await set.updates.update(key, (s) => {
    set.hub.release(entry, observer);
    s.n = 1;
  });
  expect((await set.store.read(key))?.document).toMatchObject({ n: 1 });
});

test("an id that another session has is not made again", async () => {
  set = liveSet();
  const live = set.hub.observe(await stored(set, "taken"), listening());
  await set.hub.reads.load(live);
  expect(() => made("taken")).toThrow('was made in the state "live"');
  made();
  expect(() => made()).toThrow('was made in the state "unstored"');
});
