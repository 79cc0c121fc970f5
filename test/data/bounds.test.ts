import { expect, test } from "vitest";
import { isDeeperThan, isReadable, writableDocument } from "../../src/data/bounds.ts";
import { fieldsOf } from "../../src/data/fields.ts";
import { deepFreeze, snapshotOf } from "../../src/data/snapshot.ts";

const nested = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}${"]".repeat(levels)}`);
const plenty = 1 << 20;
const levelsOf = (value: unknown) =>
  [0, 1, 2, 3, 4, 5].find((levels) => !isDeeperThan(value, levels)) ?? "more";

test("only nested objects and arrays add levels", () => {
  const values = [1, null, "[[[[", {}, [1, 2], { a: [] }, [{ a: 1 }, { a: { b: {} } }, 1]];
  expect(values.map(levelsOf)).toEqual([0, 0, 0, 1, 1, 2, 4]);
  expect(isDeeperThan(nested(200_000), 199_999)).toBe(true);
});

test("a value that refers to itself, even in many ways, is deeper than any limit, and is detected at once", () => {
  const self: unknown[] = [];
  self.push(self, self, [self, self]);
  expect(isDeeperThan(self, 100_000)).toBe(true);
});

test("a session is written up to 64 levels, including itself; the error names the key", () => {
  const document = { cookie: {}, deep: nested(63), n: 1 };
  expect(writableDocument({ fields: fieldsOf(document), cookie: {} }, plenty)).toEqual(document);
  const write = (values: object, cookie = {}) => writableDocument({ fields: fieldsOf(values), cookie }, plenty);
  for (const levels of [64, 2_000, 3_000]) {
    const refused = { code: "SESSION_INVALID_DATA", message: expect.stringContaining('"deep"') };
    expect(() => write({ n: 1, deep: nested(levels) })).toThrow(expect.objectContaining(refused));
  }
  const cookie = { code: "SESSION_INVALID_DATA", message: expect.stringContaining('"cookie"') };
  expect(() => write({}, { path: nested(63) })).toThrow(expect.objectContaining(cookie));
  expect(() => write({}, { path: nested(50_000) })).toThrow(expect.objectContaining(cookie));
  expect(() => write({}, { path: 1n })).toThrow(expect.objectContaining(cookie));
});

test("keys and the JSON of their values count, in bytes, including the cookie's; the error names the largest", () => {
  const fields = fieldsOf({ a: 1, text: "é".repeat(10) });
  const bytes = "a".length + 1 + "text".length + 22 + "cookie".length + '{"path":"/"}'.length;
  expect(writableDocument({ fields, cookie: { path: "/" } }, bytes)).toMatchObject({ a: 1 });
  const refused = {
    code: "SESSION_INVALID_DATA",
    message: expect.stringMatching(`${bytes - 1} bytes .* ${bytes}, 26 of them in "text".*maxSessionBytes`),
  };
  expect(() => writableDocument({ fields, cookie: { path: "/" } }, bytes - 1)).toThrow(expect.objectContaining(refused));
});

test.each([
  ["a cycle", (values: Record<string, unknown>) => Object.assign(values, { "a key": values })],
  ["a BigInt", (values: object) => Object.assign(values, { "a key": 1n })],
  ["more levels than JSON can write", (values: object) => Object.assign(values, { "a key": nested(50_000) })],
  [
    "a toJSON that throws",
    (values: object) => Object.assign(values, { "a key": { toJSON: () => Promise.reject.call(undefined) } }),
  ],
  [
    "a getter that throws",
    (values: object) =>
      Object.defineProperty(values, "a key", {
        enumerable: true,
        get() {
          throw new Error("s3cret");
        },
      }),
  ],
])("data with %s is refused by name, and the message quotes nothing of it", (_what, spoil) => {
  const refused = { code: "SESSION_INVALID_DATA", message: expect.stringContaining('"a key"') };
  const values = spoil({});
  expect(() => fieldsOf(values)).toThrow(expect.objectContaining(refused));
  expect(() => fieldsOf(values)).not.toThrow("s3cret");
});

test("a session of another package is readable up to 512 levels, and none overflows the stack", () => {
  const stored = (levels: number) => ({
    document: { cookie: {}, deep: nested(levels) },
    expiresAt: 1,
    revision: 1,
  });
  expect([stored(511), stored(512), stored(100_000)].map(isReadable)).toEqual([true, false, false]);
  expect(isReadable(null)).toBe(true);
  const { data } = snapshotOf(stored(511));
  expect(Object.isFrozen(data.deep)).toBe(true);
  expect(Object.isFrozen(deepFreeze(nested(100_000)))).toBe(true);
  expect(structuredClone(stored(511))).toEqual(stored(511));
});

test("a key of any length is named by its first 60 characters", () => {
  const key = "k".repeat(2_000_000);
  const refused = {
    code: "SESSION_INVALID_DATA",
    message: expect.stringMatching(/^[^k]+"k{60}…".{1,300}$/),
  };
  const write = (value: unknown, most = plenty * 10) =>
    writableDocument({ fields: fieldsOf({ [key]: value }), cookie: {} }, most);
  expect(() => write(nested(64))).toThrow(expect.objectContaining(refused));
  expect(() => write(1n)).toThrow(expect.objectContaining(refused));
  expect(() => write(1, plenty)).toThrow(
    expect.objectContaining({ ...refused, message: expect.stringMatching(/"k{60}…"/) }),
  );
});
