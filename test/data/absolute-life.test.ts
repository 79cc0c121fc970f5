import { describe, expect, test } from "vitest";
import { dropStart, lacksStart, lastDeadline, startOf, withinLimit } from "../../src/data/absolute-life.ts";
import { deadlineFrom } from "../../src/data/life-time.ts";
import { contentOf, snapshotFrom, snapshotOf } from "../../src/data/snapshot.ts";

const now = Date.parse("2030-01-01T00:00:00Z");
const hour = 3_600_000;
const never = Number.POSITIVE_INFINITY;
const stored = (start: unknown, expiresAt = now + hour) => ({
  document: { cookie: {}, n: 1, socketSessionStartedAt: start },
  expiresAt,
  revision: 1,
});

describe("the start of a session", () => {
  test.each([["2030"], [null], [Number.NaN], [never], [{ valueOf: () => now }], [undefined]])(
    "is none if the document has %j",
    (start) => {
      expect(startOf(stored(start).document)).toBeUndefined();
      expect(lacksStart(startOf(stored(start).document), hour)).toBe(true);
    },
  );

  test("is a property of a version, and none of its data", () => {
    for (const versionOf of [snapshotOf, snapshotFrom]) {
      const { startedAt, data, fields } = versionOf(stored(now));
      expect(startedAt).toBe(now);
      expect({ ...data }).toEqual({ n: 1 });
      expect([...fields.keys()]).toEqual(["n"]);
    }
    expect([...contentOf(stored(now).document).fields.keys()]).toEqual(["n"]);
    expect(dropStart(stored(now).document)).toEqual({ cookie: {}, n: 1 });
  });

  test("is not needed without a limit", () => {
    expect(lacksStart(undefined, never)).toBe(false);
    expect(lacksStart(now, hour)).toBe(false);
    expect(lastDeadline(now, never)).toBe(never);
    expect(lastDeadline(undefined, hour)).toBe(never);
  });
});

test("a deadline is the earlier of the idle one and the last one; without a start the session starts now", () => {
  const cookie = { originalMaxAge: 10_000 };
  const options = { ttlMs: 1, absoluteMs: hour };
  expect(deadlineFrom(now, { cookie, startedAt: now }, options)).toBe(now + 10_000);
  expect(deadlineFrom(now, { cookie, startedAt: now - hour + 1 }, options)).toBe(now + 1);
  expect(deadlineFrom(now, { cookie: { originalMaxAge: 2 * hour } }, options)).toBe(now + hour);
});

test("a stored session is read with the earlier deadline, and not at all from the last one on", () => {
  expect(withinLimit(stored(now - hour + 1), hour, now)?.expiresAt).toBe(now + 1);
  expect(withinLimit(stored(now - hour), hour, now)).toBeNull();
  expect(withinLimit(stored(now, now + 5), hour, now)?.expiresAt).toBe(now + 5);
  expect(withinLimit(stored("?"), hour, now)?.expiresAt).toBe(now + hour);
  expect(withinLimit(stored(now - 2 * hour), never, now)?.expiresAt).toBe(now + hour);
});
