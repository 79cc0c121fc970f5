import { inspect } from "node:util";
import { expect, test } from "vitest";
import { privateField } from "../../src/base/private-field.ts";

test("is a value of each object", () => {
  const field = privateField<number>();
  const [a, b] = [{}, {}];
  field.set(a, 1);
  field.set(b, 2);
  field.set(a, 3);
  expect([field.get(a), field.get(b), field.get({})]).toEqual([3, 2, undefined]);
});

test("belongs to who made it", () => {
  const [one, other] = [privateField<number>(), privateField<number>()];
  const object = {};
  one.set(object, 1);
  expect(other.get(object)).toBeUndefined();
  other.set(object, 2);
  expect(one.get(object)).toBe(1);
});

test("is not found by who looks at the object, copies it or inherits from it", () => {
  const field = privateField<string>();
  const object = { n: 1 };
  field.set(object, "a secret");
  expect(inspect(object, { showHidden: true })).toBe("{ n: 1 }");
  expect(Reflect.ownKeys(object)).toEqual(["n"]);
  expect(JSON.stringify(object)).toBe('{"n":1}');
  for (const other of [{ ...object }, Object.create(object), new Proxy(object, {}), structuredClone(object)])
    expect(field.get(other)).toBeUndefined();
});

test("can be put on any object: a frozen one, one without a prototype, a proxy, a function", () => {
  const field = privateField<number>();
  for (const object of [Object.freeze({}), Object.create(null), new Proxy({}, {}), () => {}]) {
    field.set(object, 1);
    expect(field.get(object)).toBe(1);
  }
});
