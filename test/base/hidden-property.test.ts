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
  ["a proxy that takes no properties", new Proxy({}, { defineProperty: () => false })],
  ["a revoked proxy", revoked()],
])("remembers a value of %s", (_name, object) => {
  expect(remembered(object).get(object)).toBe("ada");
});

test("remembers the last value of an object that has been frozen since", () => {
  const object = {};
  const property = remembered(object);
  property.set(Object.freeze(object), "grace");
  expect(property.get(object)).toBe("grace");
});

test("remembers a proxy apart from what it stands for, and calls none of its traps", () => {
  const traps = new Proxy({}, { get: (_target, trap) => fail(`called ${String(trap)}`) });
  const object = {};
  const property = remembered(object);
  const proxy = new Proxy(object, traps);
  expect(property.get(proxy)).toBeUndefined();
  property.set(proxy, "grace");
  expect([property.get(proxy), property.get(object)]).toEqual(["grace", "ada"]);
});

test("is not that of the object from which a copy has its descriptors", () => {
  const object = {};
  const property = remembered(object);
  const copy = Object.defineProperties({}, Object.getOwnPropertyDescriptors(object));
  expect(property.get(copy)).toBeUndefined();
  property.set(copy, "grace");
  expect([property.get(copy), property.get(object)]).toEqual(["grace", "ada"]);
});

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function fail(message: string): never {
  throw new Error(message);
}
