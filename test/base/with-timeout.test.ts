import { expect, onTestFinished, test } from "vitest";
import { withTimeout } from "../../src/base/with-timeout.ts";
import { ManualClock } from "../support/manual-clock.ts";

const late = () => new Error("late");

test("settles as the function does, whether it returns, resolves, rejects or throws", async () => {
  const clock = new ManualClock();
  const rejecting = () => Promise.reject(new Error("rejected"));
  const throwing = () => {
    throw new Error("thrown");
  };
  expect(await withTimeout(clock, 10, () => 1, late)).toBe(1);
  expect(await withTimeout(clock, 10, async () => 2, late)).toBe(2);
  await expect(withTimeout(clock, 10, rejecting, late)).rejects.toThrow("rejected");
  await expect(withTimeout(clock, 10, throwing, late)).rejects.toThrow("thrown");
  const failed = (cause: unknown) => new Error("named", { cause });
  await expect(withTimeout(clock, 10, throwing, late, failed)).rejects.toThrow("named");
  const failing = () => throwing();
  await expect(withTimeout(clock, 10, rejecting, late, failing)).rejects.toThrow("thrown");
});

test("rejects when the time is over; what the function does later is ignored", async () => {
  const unhandled: unknown[] = [];
  const hear = (error: unknown) => unhandled.push(error);
  process.on("unhandledRejection", hear);
  onTestFinished(() => void process.off("unhandledRejection", hear));
  for (const outcome of ["resolve", "reject"] as const) {
    const clock = new ManualClock();
    const running = Promise.withResolvers<void>();
    const timed = withTimeout(
      clock,
      10,
      () => running.promise,
      late,
      (cause) => new Error("named", { cause }),
    );
    const refused = expect(timed).rejects.toThrow("late");
    await clock.advance(10);
    await refused;
    running[outcome]();
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(unhandled).toEqual([]);
});
