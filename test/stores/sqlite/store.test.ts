import { join } from "node:path";
import { expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import type { SessionStore } from "../../../src/session-store.ts";
import { sqliteStore } from "../../../src/stores/sqlite/store.ts";
import { describeStore } from "../conformance.ts";
import { describeProcesses } from "../describe-processes.ts";
import { feedOptions, Heard } from "../heard.ts";
import { call, message, start } from "../processes.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import { countRows, newFile, rawConnection, temporaryDirectory } from "./files.ts";

const traits = {
  atomic: true,
  feed: true,
  uniqueRevisions: true,
  exactExpiry: true,
  users: true,
  tickets: true,
  notes: true,
};

describeStore("sqliteStore", { ...traits, damage: "any text", stalls: true }, async () => {
  const directory = temporaryDirectory();
  const clock = new SetClock();
  const stores: SessionStore[] = [];
  return {
    open() {
      const store = sqliteStore({
        path: join(directory.path, "sessions.db"),
        clock,
        pollIntervalMs: 2,
        busyTimeoutMs: 2_000,
      });
      stores.push(store);
      return store;
    },
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    damage(sid, text) {
      const raw = rawConnection(join(directory.path, "sessions.db"));
      raw.prepare("UPDATE sessions SET document = ? WHERE id = ?").run(text, Buffer.from(sid, "utf16le"));
    },
    /** Another program holds the write lock. */
    stall() {
      const raw = rawConnection(join(directory.path, "sessions.db"));
      raw.exec("BEGIN IMMEDIATE");
      return () => raw.exec("ROLLBACK");
    },
    async end() {
      await Promise.all(stores.map((store) => store.close()));
      directory.remove();
    },
  };
});

describeStore('sqliteStore(":memory:")', traits, async () => {
  const clock = new SetClock();
  const store = sqliteStore({ path: ":memory:", clock });
  return {
    open: () => store,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    end: () => store.close(),
  };
});

const key = keyOf("a session");
const later = () => Date.now() + 3_600_000;

function openStore(path: string, options: { pruneIntervalMs?: number; clock?: Clock } = {}): SessionStore {
  const store = sqliteStore({ path, pollIntervalMs: 2, ...options });
  onTestFinished(() => store.close());
  return store;
}

describeProcesses(() => ({ kind: "sqlite", url: newFile(), place: "" }));

it("lets several processes make the same new file at the same time", async () => {
  const path = newFile();
  const processes = Array.from({ length: 6 }, () => start("sqlite/fixtures/store-process", [path]));
  const answers = await Promise.all(processes.map(message));
  expect(answers).toEqual(Array.from({ length: 6 }, () => ({ result: "opened" })));
});

it("waits for another process that is making the file", async () => {
  const path = newFile();
  const raw = rawConnection(path);
  raw.exec("BEGIN EXCLUSIVE; CREATE TABLE half_done (a)");
  const patient = message(start("sqlite/fixtures/store-process", [path, "10000"]));
  for (let attempts = 0; attempts < 2; attempts += 1) {
    const answer = await message(start("sqlite/fixtures/store-process", [path, "0"]));
    expect(answer).toMatchObject({ error: { code: "STORE_OPEN", cause: "database is locked" } });
  }
  raw.exec("ROLLBACK");
  expect(await patient).toEqual({ result: "opened" });
});

it("tells what another process did", async () => {
  const path = newFile();
  const store = openStore(path);
  const heard = new Heard();
  await store.changes?.(heard, feedOptions);
  const elsewhere = start("sqlite/fixtures/store-process", [path]);
  await message(elsewhere);
  const revision = await store.create(key, { cookie: {} }, later());
  await call(elsewhere, "replace", key, revision, { cookie: {}, n: 1 }, later(), "ada", "a write");
  await call(elsewhere, "destroy", key, "revoked");
  await vi.waitFor(() => expect(heard.changes).toHaveLength(2), { timeout: 5000 });
  expect(heard.changes).toEqual([
    { kind: "changed", publicIds: key.publicIds, write: "a write" },
    { kind: "ended", publicIds: key.publicIds, reason: "revoked" },
  ]);
  expect(heard.missedCount).toBe(0);
});

it("removes sessions from the file when they are over, in as many batches as it takes", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const store = openStore(path, { clock: timers });
  for (let i = 0; i < 120; i += 1)
    await store.create(keyOf(`short ${i}`), { cookie: {} }, clock.now() + 1000);
  await store.create(key, { cookie: {} }, clock.now() + 2000);
  const raw = rawConnection(path);
  expect(countRows(raw, "sessions")).toBe(121);
  clock.advance(1000);
  timers.fire();
  await vi.waitFor(() => expect(countRows(raw, "sessions")).toBe(1), { timeout: 5000, interval: 5 });
  expect(await store.read(key)).not.toBeNull();
  await vi.waitFor(() => expect(timers.pendingCount, "the next round is due").toBe(1));
});

it("removes tickets from the file when they are over, in as many batches as it takes", async () => {
  const path = newFile();
  const clock = new SetClock();
  const timers = new StoppedTimers(clock);
  const store = openStore(path, { clock: timers });
  const put = (id: string, lifeMs: number) => store.putTicket?.(id, "{}", clock.now() + lifeMs);
  await Promise.all(Array.from({ length: 1100 }, (_, n) => put(`short ${n}`, 1000)));
  await put("long", 2000);
  const raw = rawConnection(path);
  expect(countRows(raw, "tickets")).toBe(1101);
  clock.advance(1000);
  timers.fire();
  await vi.waitFor(() => expect(countRows(raw, "tickets")).toBe(1), { timeout: 5000, interval: 5 });
  expect(await store.takeTicket?.("long")).toBe("{}");
});

it("keeps feed entries for ten minutes", async () => {
  const path = newFile();
  const clock = new SetClock();
  const store = openStore(path, { clock, pruneIntervalMs: 5 });
  const endOne = async (sid: string) => {
    await store.create(keyOf(sid), { cookie: {} }, clock.now() + 1000);
    await store.destroy(keyOf(sid), "destroyed");
  };
  const raw = rawConnection(path);
  for (let i = 0; i < 3; i += 1) await endOne(`early ${i}`);
  clock.advance(6 * 60_000);
  for (let i = 0; i < 2; i += 1) await endOne(`late ${i}`);
  clock.advance(5 * 60_000);
  await vi.waitFor(() => expect(countRows(raw, "changes")).toBe(2), { timeout: 5000, interval: 5 });
});

it("writes so that an answered logout survives a power cut", async () => {
  const { openSqliteFile } = await import("../../../src/stores/sqlite/file.ts");
  const database = openSqliteFile(newFile(), 1000);
  onTestFinished(() => database.close());
  expect(database.prepare("PRAGMA journal_mode").get()).toEqual({ journal_mode: "wal" });
  expect(database.prepare("PRAGMA synchronous").get()).toEqual({ synchronous: 2 });
});
