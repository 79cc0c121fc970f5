/** While another process holds the write lock. If a store blocked the event loop, the lock could not be released here. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import type { SessionStore } from "../../../src/session-store.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { everythingTold, listen } from "../heard.ts";
import { keyOf } from "../session-keys.ts";
import { lockedElsewhere, newFile } from "./files.ts";

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;

async function storeWithSession(options: { busyTimeoutMs?: number } = {}): Promise<[SessionStore, string]> {
  const path = newFile();
  const store = sqliteStore({ path, ...options });
  onTestFinished(() => store.close());
  await store.create(key, { cookie: {}, n: 0 }, later());
  return [store, path];
}

it("waits without blocking the event loop, and then succeeds in order", async () => {
  const [store, path] = await storeWithSession();
  const release = await lockedElsewhere(path);
  let settled = 0;
  const operations = [
    store.touch(key, later() + 1000, {}),
    store.destroy(key, "destroyed"),
    store.create(key, { cookie: {}, n: 1 }, later()),
    store.touch(key, later() + 1000, {}),
  ].map((operation) => operation.finally(() => (settled += 1)));
  for (let turns = 0; turns < 1000; turns += 1) await nextTurn();
  expect(settled).toBe(0);
  await release();
  expect(await Promise.all(operations)).toEqual([true, true, expect.any(String), true]);
  expect((await store.read(key))?.document.n).toBe(1);
});

it("reads, and receives changes, while writes wait", async () => {
  const [store, path] = await storeWithSession();
  const { heard } = await listen(store);
  const release = await lockedElsewhere(path);
  const destroyed = store.destroy(key, "destroyed");
  expect((await store.read(key))?.document.n).toBe(0);
  expect(await store.count?.()).toBe(1);
  await release();
  expect(await destroyed).toBe(true);
  await everythingTold(store, heard);
  expect(heard.changes).toHaveLength(1);
  expect(heard.errors).toEqual([]);
});

it("gives up after busyTimeoutMs, reports it, and has written nothing", async () => {
  const [store, path] = await storeWithSession({ busyTimeoutMs: 30 });
  const release = await lockedElsewhere(path);
  const attempt = store.destroy(key, "destroyed");
  await expect(attempt).rejects.toMatchObject({ code: "STORE_FAILED", cause: { errcode: 5 } });
  await expect(attempt).rejects.toThrow(path);
  await expect(attempt).rejects.toThrow(/write lock.* busyTimeoutMs/);
  await release();
  expect(await store.read(key)).not.toBeNull();
  expect(await store.destroy(key, "destroyed")).toBe(true);
});

it("opens an existing file at once", async () => {
  const [, path] = await storeWithSession();
  const release = await lockedElsewhere(path);
  const second = sqliteStore({ path, busyTimeoutMs: 0 });
  onTestFinished(() => second.close());
  expect(await second.read(key)).not.toBeNull();
  await release();
});

it("lets other work run between many writes begun at once", async () => {
  const [store] = await storeWithSession();
  let turns = 0;
  let running = true;
  const counting = (async () => {
    for (; running; turns += 1) await nextTurn();
  })();
  const sids = Array.from({ length: 200 }, (_, i) => `many ${i}`);
  await Promise.all(sids.map((sid) => store.create(keyOf(sid), { cookie: {} }, later())));
  running = false;
  await counting;
  expect(turns).toBeGreaterThanOrEqual(199);
  expect(await store.count?.()).toBe(201);
});
