import assert from "node:assert/strict";
import { inspect } from "node:util";
import { deserialize, serialize } from "node:v8";
import { describe, expect, test } from "vitest";
import { snapshotOf } from "../../src/data/snapshot.ts";

const stored = { cookie: {}, name: "ada", 7: "seven", list: [1], nested: { deep: { value: 1 } }, none: null };
const { cookie: _cookie, ...plain } = stored;
const dataOf = (document: object = stored) =>
  snapshotOf({ document: structuredClone(document) as typeof stored, expiresAt: 0, revision: 1 }).data;

/** Runs without strict mode, as CommonJS modules may. */
const sloppy = (code: string) => new Function("data", code);

const refusal = expect.objectContaining({ code: "SESSION_READ_ONLY" });

describe("the data of a session", () => {
  test.each([
    ["an assignment", "data.name = 'eve'"],
    ["an increment", "data.none++"],
    ["of a numbered key", "data[7] = 'eight'"],
    ["Object.assign", "Object.assign(data, { name: 'eve' })"],
    ["Reflect.set", "Reflect.set(data, 'name', 'eve')"],
    ["destructuring", "[data.name] = ['eve']"],
    ["through an object that inherits", "Object.create(data).name = 'eve'"],
  ])("throws the cure: %s", (_name, code) => {
    const data = dataOf();
    expect(() => sloppy(code)(data)).toThrow(refusal);
    expect(() => sloppy(`"use strict"; ${code}`)(data)).toThrow(refusal);
    expect(() => sloppy(code)(data)).toThrow("update((s) =>");
    expect(data).toEqual(plain);
  });

  test.each([
    ["a new key", "data.fresh = 1"],
    ["a removed key", "delete data.name"],
    ["a redefined key", "Object.defineProperty(data, 'name', { value: 'eve' })"],
    ["another prototype", "Object.setPrototypeOf(data, { name: 'eve' })"],
    ["a value inside", "data.nested.deep.value = 2"],
    ["an array inside", "data.list.push(2)"],
  ])("is frozen: %s is a TypeError in strict mode", (_name, code) => {
    const data = dataOf();
    expect(() => sloppy(`"use strict"; ${code}`)(data)).toThrow(TypeError);
    expect(data).toEqual(plain);
  });

  test("is plain data to read, copy, compare and show", () => {
    const data = dataOf();
    assert.deepEqual(data, plain);
    assert.deepEqual({ ...data }, plain);
    assert.deepEqual(Object.entries(data), Object.entries(plain));
    assert.deepEqual(structuredClone(data), plain);
    assert.deepEqual(deserialize(serialize(data)), plain);
    expect(data).toStrictEqual(plain);
    expect(JSON.stringify(data)).toBe(JSON.stringify(plain));
    expect(inspect(data)).toBe(inspect(plain));
    expect(`${inspect({ data })}`).toBe(inspect({ data: plain }));
    expect(Object.isFrozen(data)).toBe(true);
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect("name" in data && !("fresh" in data)).toBe(true);
    const { name, ...rest } = data;
    expect([name, Object.keys(rest)]).toEqual(["ada", ["7", "list", "nested", "none"]]);
    const forIn: string[] = [];
    for (const key in data) forIn.push(key);
    expect(forIn).toEqual(Object.keys(plain));
  });

  test("keeps keys that have a meaning elsewhere", () => {
    const text = '{"cookie":{},"__proto__":{"a":1},"constructor":"c","toString":"t","get":"g","":"empty"}';
    const data = dataOf(JSON.parse(text));
    expect(JSON.stringify(data)).toBe(text.replace('"cookie":{},', ""));
    expect(Object.getPrototypeOf(data)).toBe(Object.prototype);
    expect(() => sloppy("data.toString = 1")(data)).toThrow(refusal);
  });

  test("shares accessors of short keys, and keeps nothing of long keys", () => {
    const getters = (key: string) =>
      [1, 2].map((n) => Object.getOwnPropertyDescriptor(dataOf({ cookie: {}, [key]: n }), key)?.get);
    const [one, other] = getters("short");
    expect(one).toBe(other);
    const [first, second] = getters(`${"k".repeat(64)}ey`);
    expect(first).not.toBe(second);
    expect(dataOf({ cookie: {}, ["k".repeat(100_000)]: 1 })).toEqual({ ["k".repeat(100_000)]: 1 });
  });

  test("of many sessions with different keys stays separate", () => {
    const many = Array.from({ length: 3_000 }, (_, n) => dataOf({ cookie: {}, name: n, [`key ${n}`]: n }));
    for (const [n, data] of many.entries()) {
      expect(data).toEqual({ name: n, [`key ${n}`]: n });
      expect(() => sloppy(`data["key ${n}"] = 0`)(data)).toThrow(refusal);
    }
  });
});

test("a key of any length is named by its first 60 characters", () => {
  const key = "k".repeat(2_000_000);
  const data = dataOf({ ...stored, [key]: 1 });
  expect(() => Reflect.set(data, key, 2)).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^data\.k{60}… .{1,300}$/) }),
  );
});
