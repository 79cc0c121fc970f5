/** When the change feed of a session file has gaps or breaks. */
import { expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import type { SessionStore } from "../../../src/session-store.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { everythingTold, feedOptions, Heard, listen } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import { countRows, newFile, rawConnection } from "./files.ts";

const key = keyOf("a session");

function openStore(path: string, clock: Clock, pruneIntervalMs = 5): SessionStore {
  const store = sqliteStore({ path, clock, pollIntervalMs: 2, pruneIntervalMs });
  onTestFinished(() => store.close());
  return store;
}

it("reports `missed` to a process that was frozen while changes were pruned", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const store = openStore(path, clock);
  const stopped = openStore(path, timers, 60_000);
  const { heard } = await listen(stopped);
  const endOne = async (sid: string) => {
    await store.create(keyOf(sid), { cookie: {} }, clock.now() + 1000);
    await store.destroy(keyOf(sid), "destroyed");
  };
  await endOne("early");
  timers.fire();
  expect(heard.changes).toHaveLength(1);
  expect(heard.missedCount).toBe(0);

  for (const sid of ["pruned 1", "pruned 2", "pruned 3"]) await endOne(sid);
  clock.advance(11 * 60_000);
  await endOne("kept");
  const raw = rawConnection(path);
  await vi.waitFor(() => expect(countRows(raw, "changes")).toBe(1), { timeout: 5000, interval: 5 });
  timers.fire();
  expect(heard.missedCount).toBe(1);
  expect(heard.changes.map(({ publicIds }) => publicIds?.[0])).toEqual([
    keyOf("early").publicId,
    keyOf("kept").publicId,
  ]);
});

it("reports `missed` even if nothing came after the pruned changes", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const store = openStore(path, clock);
  const { heard } = await listen(openStore(path, timers, 60_000));
  for (const sid of ["1", "2"]) {
    await store.create(keyOf(sid), { cookie: {} }, clock.now() + 1000);
    await store.destroy(keyOf(sid), "destroyed");
  }
  clock.advance(11 * 60_000);
  const raw = rawConnection(path);
  await vi.waitFor(() => expect(countRows(raw, "changes")).toBe(1), { timeout: 5000, interval: 5 });
  timers.fire();
  expect(heard.missedCount).toBe(1);
});

it("reports more changes than it reads at a time, each once", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const store = openStore(path, clock, 60_000);
  const { heard } = await listen(openStore(path, timers, 60_000));
  const raw = rawConnection(path);
  raw.exec(`
    WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1234)
    INSERT INTO changes (at, kind, public_ids, reason) SELECT 0, 'ended', '["' || i || '"]', 'destroyed' FROM n`);
  await store.create(key, { cookie: {} }, clock.now() + 1000);
  timers.fire();
  expect(heard.changes.map(({ publicIds }) => Number(publicIds?.[0]))).toEqual(
    Array.from({ length: 1234 }, (_, i) => i + 1),
  );
  expect(heard.missedCount).toBe(0);
});

const noTable = {
  code: "STORE_FAILED",
  message: expect.stringContaining("SQL logic error"),
  cause: expect.objectContaining({ message: expect.stringContaining("no such table") }),
};

it("reports `broken` once, and `missed` when the file can be read again", async () => {
  const path = newFile();
  const timers = new StoppedTimers(new SetClock());
  const store = openStore(path, timers);
  const { heard } = await listen(store);
  const raw = rawConnection(path);
  raw.exec("ALTER TABLE changes RENAME TO aside");
  for (let polls = 0; polls < 5; polls += 1) timers.fire();
  expect(heard.errors).toHaveLength(1);
  expect(heard.errors[0]).toMatchObject({ code: "STORE_FAILED", message: expect.stringContaining(path) });
  await expect(store.changes?.(new Heard(), feedOptions)).rejects.toMatchObject(noTable);
  expect(heard.missedCount).toBe(0);
  raw.exec("ALTER TABLE aside RENAME TO changes");
  for (let polls = 0; polls < 5; polls += 1) timers.fire();
  await everythingTold(store, heard);
  expect(heard.errors).toHaveLength(1);
  expect(heard.missedCount).toBe(1);
});

it("writes nothing that it can't publish", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock);
  const later = clock.now() + 1000;
  const revision = await store.create(key, { cookie: {}, n: 0 }, later);
  const raw = rawConnection(path);
  raw.exec("ALTER TABLE changes RENAME TO aside");
  await expect(store.replace(key, revision ?? "", { cookie: {}, n: 1 }, later)).rejects.toMatchObject(
    noTable,
  );
  await expect(store.destroy(key, "destroyed")).rejects.toMatchObject(noTable);
  expect(await store.read(key)).toEqual({ document: { cookie: {}, n: 0 }, expiresAt: later, revision });
  raw.exec("ALTER TABLE aside RENAME TO changes");
  expect(await store.destroy(key, "destroyed")).toBe(true);
});

it("reports `missed` for a kind of change that a newer release may write", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock);
  const { heard } = await listen(store);
  rawConnection(path).exec("INSERT INTO changes (at, kind, public_ids) VALUES (0, 'merged', '[]')");
  await vi.waitFor(() => expect(heard.missedCount).toBe(1), { timeout: 5000, interval: 5 });
  await everythingTold(store, heard);
  expect(heard.changes).toEqual([]);
});

it("polls only while there is a listener", async () => {
  const timers = new StoppedTimers(new SetClock());
  const store = openStore(newFile(), timers);
  const onlyPruning = timers.pendingCount;
  const first = await listen(store);
  const second = await listen(store);
  expect(timers.pendingCount).toBe(onlyPruning + 1);
  await first.stop();
  timers.fire();
  await vi.waitFor(() => expect(timers.pendingCount).toBe(onlyPruning + 1));
  await second.stop();
  expect(timers.pendingCount).toBe(onlyPruning);
  await listen(store);
  await store.close();
  expect(timers.pendingCount).toBe(0);
});

it("lets a listener write during its call, and reports that write after the rest", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock, 60_000);
  await store.create(keyOf("answer"), { cookie: {} }, clock.now() + 1000);
  const answering = new Heard();
  let answered: Promise<boolean> | undefined;
  answering.changed = () => {
    answered ??= store.destroy(keyOf("answer"), "revoked");
  };
  await store.changes?.(answering, feedOptions);
  const { heard } = await listen(store);
  // In one transaction, so that one poll finds both.
  rawConnection(path).exec(`
    INSERT INTO changes (at, kind, public_ids, reason)
    VALUES (0, 'ended', '["1"]', 'destroyed'), (0, 'ended', '["2"]', 'destroyed')`);
  await vi.waitFor(() => expect(heard.changes).toHaveLength(3), { timeout: 5000, interval: 5 });
  expect(await answered).toBe(true);
  await everythingTold(store, heard);
  expect(heard.changes.map(({ publicIds }) => publicIds?.[0])).toEqual(["1", "2", keyOf("answer").publicId]);
  expect(heard.missedCount).toBe(0);
});

it("lets a listener close the store, and reports nothing after that", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const elsewhere = openStore(path, clock);
  const store = openStore(path, timers);
  const heard = new Heard();
  const changed = vi.fn(() => void store.close());
  heard.changed = changed;
  await store.changes?.(heard, feedOptions);
  for (const sid of ["1", "2"]) {
    await elsewhere.create(keyOf(sid), { cookie: {} }, clock.now() + 1000);
    await elsewhere.destroy(keyOf(sid), "destroyed");
  }
  timers.fire();
  expect(changed).toHaveBeenCalledTimes(1);
  await store.close();
  expect(heard.errors).toEqual([]);
  expect(timers.pendingCount).toBe(0);
});
