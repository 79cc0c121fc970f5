/** node-redis 6 makes a timer for each command, in case it can't be sent. */
import { createClient } from "redis";
import { afterEach, beforeEach, expect, it, type MockInstance, onTestFinished, vi } from "vitest";
import type { RedisStoreOptions } from "../../../src/stores/redis/store.ts";
import { withService } from "../../setup/services.ts";
import { keyOf } from "../session-keys.ts";
import { newPrefix, storeForTest } from "./clients.ts";

const service = withService("redis");

service.describe("the time of a command, redis", () => {
  let timers: MockInstance<typeof AbortSignal.timeout>;

  beforeEach(() => {
    timers = vi.spyOn(AbortSignal, "timeout");
  });
  afterEach(() => {
    timers.mockRestore();
  });

  function clientWith(commandOptions?: { timeout: number }) {
    const client = createClient({ url: service.url, ...(commandOptions && { commandOptions }) });
    client.on("error", () => {});
    onTestFinished(() => client.destroy());
    return client;
  }

  /** The timers that a read makes at once. */
  async function timersOfRead(client: RedisStoreOptions["client"], isReady = true) {
    const store = storeForTest({ client, prefix: newPrefix() });
    if (isReady) await store.read(keyOf("first"));
    timers.mockClear();
    const read = store.read(keyOf("a session"));
    const made = timers.mock.calls.flat();
    expect(await read).toBeNull();
    return made;
  }

  it("is the driver's own for what the application asks, and the store's for what that asks", async () => {
    const client = clientWith();
    await client.connect();
    timers.mockClear();
    const got = client.get("anything");
    expect(timers.mock.calls).toEqual([[5_000]]);
    await got;
    expect(await timersOfRead(client)).toEqual([]);
  });

  it("is the application's, if it has set one", async () => {
    const client = clientWith({ timeout: 4_321 });
    await client.connect();
    expect(await timersOfRead(client)).toEqual([4_321]);
    expect(await timersOfRead(client.withCommandOptions({ timeout: 1_234 }))).toEqual([1_234]);
  });

  it("is the driver's while there is no connection, so that what waits for one is not sent much later", async () => {
    const client = clientWith();
    const connected = client.connect();
    expect(await timersOfRead(client, false)).toEqual([5_000]);
    await connected;
  });
});
