import { inspect } from "node:util";
import { expect, test } from "vitest";
import { HiddenProperty } from "../../src/base/hidden-property.ts";

function remembered(object: object) {
  const property = new HiddenProperty<string>("name");
  property.set(object, "ada");
  return property;
}

test("remembers a value of each object, and the last that was set", () => {
  const object = {};
  const property = remembered(object);
  expect(property.get(object)).toBe("ada");
  property.set(object, "grace");
  expect(property.get(object)).toBe("grace");
  expect(property.get({})).toBeUndefined();
});

test("is apart from another of the same name", () => {
  const object = {};
  remembered(object);
  expect(new HiddenProperty("name").get(object)).toBeUndefined();
});

test("is not shown, compared, written as JSON, nor copied", () => {
  const object = { n: 1 };
  const property = remembered(object);
  expect(inspect(object)).toBe("{ n: 1 }");
  expect(object).toStrictEqual({ n: 1 });
  expect(JSON.stringify(object)).toBe('{"n":1}');
  for (const copy of [
    { ...object },
    Object.assign({}, object),
    structuredClone(object),
    Object.create(object),
  ]) {
    expect(property.get(copy)).toBeUndefined();
  }
});

test.each([
  ["a frozen object", Object.freeze({})],
  ["a sealed one", Object.seal({})],
])("remembers nothing of %s, and does not throw", (_name, object) => {
  expect(remembered(object).get(object)).toBeUndefined();
});
