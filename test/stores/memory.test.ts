import { expect, it } from "vitest";
import { memoryStore } from "../../src/stores/memory.ts";
import { describeStore } from "./conformance.ts";
import { keyOf } from "./session-keys.ts";
import { SetClock, StoppedTimers } from "./set-clock.ts";

const traits = {
  ...{
    atomic: true,
    feed: true,
    uniqueRevisions: true,
    exactExpiry: true,
    users: true,
    tickets: true,
    notes: true,
  },
  outlivesClose: true,
};

describeStore("memoryStore", traits, async () => {
  const clock = new SetClock();
  const store = memoryStore({ clock });
  return {
    open: () => store,
    now: () => clock.now(),
    advance: (ms) => clock.advance(ms),
    end: () => store.close(),
  };
});

it("has a timer only while it holds sessions, expired ones included", async () => {
  const time = new SetClock();
  const timers = new StoppedTimers(time);
  const store = memoryStore({ clock: timers });
  expect(timers.pendingCount).toBe(0);
  await store.create(keyOf("short"), { cookie: {} }, time.now() + 1000);
  await store.create(keyOf("long"), { cookie: {} }, time.now() + 2000);
  expect(timers.pendingCount).toBe(1);
  time.advance(1000);
  timers.fire();
  expect(timers.pendingCount).toBe(1);
  time.advance(1000);
  timers.fire();
  expect(timers.pendingCount).toBe(0);
});

it("removes tickets whose time is over, and ends their timer at close", async () => {
  const time = new SetClock();
  const timers = new StoppedTimers(time);
  const store = memoryStore({ clock: timers });
  await store.putTicket?.("short", "{}", time.now() + 1000);
  await store.putTicket?.("long", "{}", time.now() + 2000);
  expect(timers.pendingCount).toBe(1);
  time.advance(1000);
  timers.fire();
  expect(timers.pendingCount).toBe(1);
  time.advance(1000);
  timers.fire();
  expect(timers.pendingCount).toBe(0);
  await store.putTicket?.("another", "{}", time.now() + 1000);
  await store.close();
  expect(timers.pendingCount).toBe(0);
  expect(await store.takeTicket?.("another")).toBe("{}");
});

it("ends its timer at close, and keeps the sessions for other users of the same object", async () => {
  const timers = new StoppedTimers(new SetClock());
  const store = memoryStore({ clock: timers });
  await store.create(keyOf("a"), { cookie: {} }, timers.now() + 1000);
  await store.close();
  expect(timers.pendingCount).toBe(0);
  expect(await store.read(keyOf("a"))).not.toBeNull();
});
