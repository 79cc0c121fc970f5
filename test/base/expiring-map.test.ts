import { expect, it } from "vitest";
import { ExpiringMap } from "../../src/base/expiring-map.ts";
import { SetClock, StoppedTimers } from "../stores/set-clock.ts";

it("keeps nothing once a sweep has passed", () => {
  const time = new SetClock();
  const timers = new StoppedTimers(time);
  const map = new ExpiringMap(timers);
  for (let i = 0; i < 1000; i += 1) map.set(`entry ${i}`, { expiresAt: time.now() + i });
  time.advance(500);
  expect(map.heldSize).toBe(1000);
  timers.fire();
  expect(map.heldSize).toBe(499);
  expect(map.live()).toHaveLength(499);
  time.advance(500);
  timers.fire();
  expect(map.heldSize).toBe(0);
  expect(timers.pendingCount).toBe(0);
});
