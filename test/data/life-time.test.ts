import { describe, expect, test } from "vitest";
import { dateText, deadlineFrom, isOver, withLife } from "../../src/data/life-time.ts";

const now = Date.parse("2030-01-01T00:00:00Z");
const at = (ms: number) => new Date(now + ms).toISOString();

describe("the life time of a cookie that express-session has not made", () => {
  test.each([
    ["originalMaxAge before all", { originalMaxAge: 1, maxAge: 2, expires: at(3) }, 1],
    ["else maxAge", { maxAge: 2, expires: at(3) }, 2],
    ["else what is left until it expires", { expires: at(3) }, 3],
    ["none", { path: "/" }, undefined],
    ["none of a cookie of the browser's session", { originalMaxAge: null, expires: null }, null],
    ["none of what is no time", { expires: "soon" }, undefined],
    ["none of what no date can say", { maxAge: 1e300 }, undefined],
  ])("is %s", (_name, cookie, expected) => {
    expect(withLife(cookie, now).originalMaxAge).toBe(expected);
  });

  test("is written as by express-session, which knows no maxAge of a stored cookie", () => {
    expect(withLife({ maxAge: 2, path: "/app" }, now)).toEqual({
      originalMaxAge: 2,
      expires: at(2),
      path: "/app",
    });
  });

  test("is over at its deadline, whatever the other members say", () => {
    expect(isOver({ expires: at(0) }, now)).toBe(true);
    expect(isOver({ expires: at(0), originalMaxAge: 60_000 }, now)).toBe(true);
    expect(isOver({ originalMaxAge: -1, expires: at(-1) }, now)).toBe(true);
    expect(isOver({ originalMaxAge: 0 }, now)).toBe(true);
    expect(isOver({ maxAge: -1 }, now)).toBe(true);
    expect(isOver({ expires: at(1) }, now)).toBe(false);
    expect(isOver({ originalMaxAge: null, expires: null }, now)).toBe(false);
    expect(isOver({ expires: "soon" }, now)).toBe(false);
  });
});

test("a deadline is never later than the latest Date, and never counts as that", () => {
  const latest = 8.64e15;
  const unlimited = { ttlMs: 1, absoluteMs: Number.POSITIVE_INFINITY };
  expect(deadlineFrom(5, { cookie: { originalMaxAge: latest } }, unlimited)).toBe(latest);
  expect(deadlineFrom(5, { cookie: { originalMaxAge: 10 } }, unlimited)).toBe(15);
  expect(deadlineFrom(5, { cookie: {} }, unlimited)).toBe(6);
  for (const deadline of [latest, latest + 1e6, Number.POSITIVE_INFINITY])
    expect(Date.parse(dateText(deadline))).toBe(latest);
});
