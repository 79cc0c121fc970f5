/** Indexes and the removal of expired sessions; through a database's own collection, with one command refused. */
import type { Collection, Document } from "mongodb";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import type { Clock } from "../../../src/base/clock.ts";
import { type MongodbStoreOptions, mongodbStore } from "../../../src/stores/mongodb/store.ts";
import { withService } from "../../setup/services.ts";
import { keyOf } from "../session-keys.ts";
import { SetClock, StoppedTimers } from "../set-clock.ts";
import { databaseOfTest } from "./databases.ts";

const server = withService("mongodb");
const key = keyOf("a session");
const patience = { timeout: 10_000 };

server.describe("the upkeep of the MongoDB store", () => {
  let collection: Collection<Document & { _id: string }>;
  const time = new SetClock();
  let timers: StoppedTimers;

  beforeEach(async () => {
    const { client, name } = await databaseOfTest(server.url);
    collection = client.db(name).collection<Document & { _id: string }>("sessions");
    timers = new StoppedTimers(time);
  });

  function open(options: MongodbStoreOptions = {}, clock: Clock = time) {
    const store = mongodbStore({ collection, clock, ...options });
    onTestFinished(() => store.close());
    return store;
  }
  const later = (ms = 3_600_000) => time.now() + ms;
  const names = async () => (await collection.indexes()).map(({ name }) => name);

  /** Refuses to create indexes, as a server does. */
  function refuse(code: number | undefined) {
    const refused = Object.assign(
      new Error("not allowed to make indexes"),
      code === undefined ? {} : { code },
    );
    return vi.spyOn(collection, "createIndex").mockRejectedValue(refused);
  }
  function warnings() {
    const emitted = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    onTestFinished(() => emitted.mockRestore());
    return emitted;
  }

  it("creates the index of users only once there is a user", async () => {
    const store = open();
    await store.create(key, { cookie: {} }, later());
    await expect.poll(names, patience).toContain("expires_1");
    expect(await names()).not.toContain("socketSession.users_1");
    await store.touch(key, later(), {}, "ada");
    await expect.poll(names, patience).toContain("socketSession.users_1");
  });

  it("reports an index that it may not create, goes on, and removes expired sessions itself", async () => {
    const emitted = warnings();
    refuse(13);
    const store = open({ autoRemoveInterval: 1 }, timers);
    await store.create(keyOf("short"), { cookie: {} }, later(1000));
    await store.create(key, { cookie: {} }, later());
    await expect.poll(() => emitted.mock.calls.length, patience).toBe(1);
    expect(emitted.mock.calls[0]?.[0]).toMatch(
      /index on expires of the collection sessions, .* refused: Error 13\./,
    );
    time.advance(2000);
    timers.fire();
    await expect.poll(() => collection.countDocuments(), patience).toBe(1);
    expect(await store.read(key)).not.toBeNull();
  });

  it("removes expired tickets as it removes expired sessions", async () => {
    const emitted = warnings();
    const tickets = collection.db.collection<Document & { _id: string }>("sessions_tickets");
    const store = open({ autoRemove: "interval" }, timers);
    await store.putTicket?.("short", "{}", later(1000));
    await store.putTicket?.("long", "{}", later());
    expect(timers.pendingCount).toBe(1);
    time.advance(2000);
    timers.fire();
    await expect.poll(() => tickets.countDocuments(), patience).toBe(1);
    expect(await store.takeTicket?.("long")).toBe("{}");
    await store.close();
    expect(timers.pendingCount).toBe(0);
    await open().putTicket?.("native", "{}", later());
    const expires = async () => (await tickets.indexes()).find(({ name }) => name === "expires_1")?.key;
    await expect.poll(expires, patience).toEqual({ expires: 1 });
    expect(emitted).not.toHaveBeenCalled();
  });

  it("silently skips an index that the server does not have", async () => {
    const emitted = warnings();
    const asked = refuse(238);
    const store = open({}, timers);
    await store.create(keyOf("short"), { cookie: {} }, later(1000));
    await expect.poll(() => asked.mock.settledResults.length, patience).toBe(1);
    time.advance(2000);
    await expect.poll(() => timers.pendingCount, patience).toBe(1);
    timers.fire();
    await expect.poll(() => collection.countDocuments(), patience).toBe(0);
    expect(emitted).not.toHaveBeenCalled();
  });

  it("retries at the next operation if there was no answer", async () => {
    const asked = refuse(undefined);
    const store = open();
    await store.read(key);
    await expect.poll(() => asked.mock.settledResults.length, patience).toBe(1);
    asked.mockRestore();
    await store.read(key);
    await expect.poll(names, patience).toContain("expires_1");
  });

  it("removes at an interval, or not at all, as configured", async () => {
    const store = open({ autoRemove: "interval" }, timers);
    await store.create(keyOf("short"), { cookie: {} }, later(1000));
    time.advance(2000);
    expect(timers.pendingCount).toBe(1);
    timers.fire();
    await expect.poll(() => collection.countDocuments(), patience).toBe(0);
    expect(timers.pendingCount, "the next round is due").toBe(1);
    await store.close();
    expect(timers.pendingCount).toBe(0);
    await open({ autoRemove: "disabled" }, timers).create(key, { cookie: {} }, later());
    expect(timers.pendingCount).toBe(0);
    expect(await names()).toEqual(["_id_"]);
  });
});
