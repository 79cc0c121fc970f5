import type { SessionStore } from "socket-session";
import { afterEach, expect, test } from "vitest";
import { fromExpressStore } from "../../src/stores/express/store.ts";
import { installHandlers } from "../support/handlers.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { describeEverywhere } from "../support/matrix.ts";
import { spyStore } from "../support/spy-store.ts";
import { startWorld, type World } from "../support/world.ts";

let world: World;
afterEach(() => world.close());

describeEverywhere("database calls", ({ store, transports, namespace }) => {
  test("are one read per connection, none per event, one write per update", async () => {
    const clock = new ManualClock();
    const opened = store.open(clock);
    const port = store.feed
      ? (opened as SessionStore)
      : fromExpressStore(opened as never, { ttlMs: 86_400_000, clock });
    const spy = spyStore(port);
    world = await startWorld({ store: spy, clock, sockets: (io) => installHandlers(io) });
    await expect.poll(() => world.sessions.stats().store.feed).toMatch(/^(?:whole|none)$/);
    const ada = await world.visitor();
    /** Handshakes of one turn of the event loop share a `readMany`, where the store has it. */
    const calls = () => ({ ...spy.calls, read: spy.calls.read + spy.calls.readMany, readMany: 0 });
    const atStart = calls();
    const first = await ada.connect(namespace, { transports });
    expect(calls().read).toBe(atStart.read + 1);
    const second = await ada.connect(namespace, { transports });
    expect(calls().read).toBe(atStart.read + 2);
    for (let i = 0; i < 20; i++) {
      await first.emitWithAck("read");
      await second.emitWithAck("read");
    }
    expect(calls()).toEqual({ ...atStart, read: atStart.read + 2 });
    for (let i = 0; i < 5; i++) await first.emitWithAck("increment");
    expect(calls()).toEqual({ ...atStart, read: atStart.read + 2, replace: atStart.replace + 5 });
    await ada.get("/session");
    expect(calls()).toEqual({ ...atStart, read: atStart.read + 3, replace: atStart.replace + 5 });
    await ada.post("/write", { name: "lovelace" });
    expect(calls()).toEqual({ ...atStart, read: atStart.read + 4, replace: atStart.replace + 6 });
  });
});
