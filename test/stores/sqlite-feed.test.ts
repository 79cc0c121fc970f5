/** When the change feed of a session file has gaps or breaks. */
import { expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "../../src/clock.ts";
import type { SessionStore } from "../../src/core/session-store.ts";
import { sqliteStore } from "../../src/stores/sqlite.ts";
import { everythingTold, Heard, listen } from "./heard.ts";
import { keyOf } from "./session-keys.ts";
import { SetClock, StoppedTimers } from "./set-clock.ts";
import { countRows, newFile, rawConnection } from "./sqlite-files.ts";

const key = keyOf("a session");

function openStore(path: string, clock: Clock, pruneIntervalMs = 5): SessionStore {
  const store = sqliteStore({ path, clock, pollIntervalMs: 2, pruneIntervalMs });
  onTestFinished(() => store.close());
  return store;
}

it("tells `missed` to a process that stood still while changes were pruned", async () => {
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
  expect(heard.changes.map(({ publicIds }) => publicIds[0])).toEqual([
    keyOf("early").publicId,
    keyOf("kept").publicId,
  ]);
});

it("tells `missed` also when nothing came after what was pruned", async () => {
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

it("tells more changes than it reads at a time, each once", async () => {
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
  expect(heard.changes.map(({ publicIds }) => Number(publicIds[0]))).toEqual(
    Array.from({ length: 1234 }, (_, i) => i + 1),
  );
  expect(heard.missedCount).toBe(0);
});

it("tells `broken` once, and `missed` when the file can be read again", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock);
  const { heard } = await listen(store);
  const raw = rawConnection(path);
  raw.exec("ALTER TABLE changes RENAME TO aside");
  await vi.waitFor(() => expect(heard.errors).toHaveLength(1), { timeout: 5000, interval: 5 });
  expect(heard.errors[0]).toMatchObject({ code: "STORE_FAILED", message: expect.stringContaining(path) });
  await expect(store.changes?.(new Heard())).rejects.toThrow("no such table");
  // Several polls later it is still one error: prepared anew for each.
  const polled = new StoppedTimers(clock);
  await new Promise<void>((resolve) => clock.after(20, resolve));
  expect(polled.pendingCount).toBe(0);
  expect(heard.errors).toHaveLength(1);
  expect(heard.missedCount).toBe(0);
  raw.exec("ALTER TABLE aside RENAME TO changes");
  await vi.waitFor(() => expect(heard.missedCount).toBe(1), { timeout: 5000, interval: 5 });
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
  await expect(store.replace(key, revision ?? "", { cookie: {}, n: 1 }, later)).rejects.toThrow("no such table");
  await expect(store.destroy(key, "destroyed")).rejects.toThrow("no such table");
  expect(await store.read(key)).toEqual({ document: { cookie: {}, n: 0 }, expiresAt: later, revision });
  raw.exec("ALTER TABLE aside RENAME TO changes");
  expect(await store.destroy(key, "destroyed")).toBe(true);
});

it("tells `missed` for a kind of change that a newer release may write", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock);
  const { heard } = await listen(store);
  rawConnection(path).exec("INSERT INTO changes (at, kind, public_ids) VALUES (0, 'merged', '[]')");
  await vi.waitFor(() => expect(heard.missedCount).toBe(1), { timeout: 5000, interval: 5 });
  await everythingTold(store, heard);
  expect(heard.changes).toEqual([]);
});

it("polls only while somebody listens", async () => {
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

it("lets a listener close the store", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, clock);
  const closing = openStore(path, clock);
  const heard = new Heard();
  let closed: Promise<void> | undefined;
  heard.changed = () => {
    closed ??= closing.close();
  };
  await closing.changes?.(heard);
  await store.create(key, { cookie: {} }, clock.now() + 1000);
  await store.destroy(key, "destroyed");
  await vi.waitFor(() => expect(closed).toBeDefined(), { timeout: 5000, interval: 5 });
  await closed;
  expect(heard.errors).toEqual([]);
});
