/** Sessions past their absolute life time, which the store still has. */
import { expect, test } from "vitest";
import { guardedStore } from "../../src/live/guarded-store.ts";
import { limitedLife } from "../../src/live/limited-life.ts";
import { memoryStore } from "../../src/stores/memory.ts";
import { ManualClock, settle } from "../support/manual-clock.ts";
import { cookie, day, listening, liveSet, nameOf } from "./live-set.ts";

const hour = 3_600_000;
const [old, young] = [nameOf("old"), nameOf("young")];

async function limited() {
  const clock = new ManualClock();
  const database = memoryStore({ clock });
  const started = (startedAt: number) => ({ cookie, userId: "ada", socketSessionStartedAt: startedAt });
  await database.create(old, started(clock.now() - hour), clock.now() + day, "ada");
  await database.create(young, started(clock.now()), clock.now() + day, "ada");
  const store = limitedLife(guardedStore(database, clock, 10_000), clock, hour);
  return { clock, database, store };
}

test("a read finds none, and ends it for all processes", async () => {
  const { clock, database, store } = await limited();
  expect(await store.read(young)).toMatchObject({ expiresAt: clock.now() + hour });
  expect(await database.read(old)).not.toBeNull();
  expect(await store.read(old)).toBeNull();
  expect(await database.read(old)).toBeNull();
});

test("a read of many does the same", async () => {
  const { clock, database, store } = await limited();
  expect(await store.readMany([old, nameOf("none"), young])).toEqual([
    null,
    null,
    expect.objectContaining({ expiresAt: clock.now() + hour }),
  ]);
  expect(await database.read(old)).toBeNull();
});

test("a list of a user's sessions names it without its data, so that it is ended with the others", async () => {
  const { clock, store } = await limited();
  const listed = await store.listByUser("ada");
  expect(listed.map(({ sid, stored }) => [sid, stored?.expiresAt])).toEqual([
    [old.sid, undefined],
    [young.sid, clock.now() + hour],
  ]);
});

test("a list of all leaves it out", async () => {
  const { database, store } = await limited();
  expect(Object.keys(await store.all())).toEqual([young.sid]);
  const asList = { ...memoryStore(), all: async () => Object.values((await database.all?.()) ?? {}) };
  const { clock } = await limited();
  expect(await limitedLife(guardedStore(asList, clock, 10_000), clock, hour).all()).toHaveLength(1);
});

test("a live session ends as expired, although another process has extended it", async () => {
  const clock = new ManualClock();
  const set = liveSet(undefined, clock, hour);
  await settle();
  const key = nameOf("a");
  await set.saves.saveWhole(key, { fields: new Map(), cookie });
  const observer = listening();
  const entry = set.hub.observe(key, observer);
  await set.hub.reads.load(entry);
  expect(entry.snapshot?.expiresAt).toBe(clock.now() + hour);
  await set.store.touch(key, clock.now() + day, cookie);
  await clock.advance(hour - 1);
  expect(observer.heard).toEqual([]);
  await clock.advance(1);
  expect(observer.heard).toEqual(["expired"]);
  expect(await set.store.read(key)).toBeNull();
});

test("a save of a version that was read before does not write to it", async () => {
  const clock = new ManualClock();
  const set = liveSet(undefined, clock, hour);
  const key = nameOf("a");
  const { snapshot } = await set.saves.saveWhole(key, { fields: new Map([["n", "1"]]), cookie });
  if (!snapshot) throw new Error("Expected the session to be stored.");
  await set.store.touch(key, clock.now() + day, cookie);
  await clock.advance(hour);
  const edit = { base: snapshot, patch: new Map([["n", "2"]]), cookie, cookieChanged: false };
  expect(await set.saves.save(key, snapshot, edit)).toEqual({ snapshot: null, conflicts: [] });
  expect(await set.store.read(key)).toBeNull();
});
