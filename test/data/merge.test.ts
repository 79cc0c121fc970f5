import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { writableDocument } from "../../src/data/bounds.ts";
import { fieldsOf, valuesOf } from "../../src/data/fields.ts";
import { applyPatch, conflictsOf, cookieChanged, diff } from "../../src/data/merge.ts";

const key = fc.constantFrom("a", "b", "c", "__proto__", "constructor", "toJSON", "id", "save");
const data = fc.dictionary(key, fc.jsonValue()).map((values) => JSON.parse(JSON.stringify(values)));

describe("the three-way merge", () => {
  test("without other writers, the result is the saved session", () => {
    fc.assert(
      fc.property(data, data, (base, mine) => {
        const merged = applyPatch(fieldsOf(base), diff(fieldsOf(base), fieldsOf(mine)));
        expect(valuesOf(merged)).toEqual(valuesOf(fieldsOf(mine)));
      }),
    );
  });

  test("each key has my value if I changed it, else the other's; conflicts are keys that both changed differently", () => {
    fc.assert(
      fc.property(data, data, data, (base, mine, other) => {
        const [b, m, o] = [fieldsOf(base), fieldsOf(mine), fieldsOf(other)];
        const patch = diff(b, m);
        const merged = applyPatch(o, patch);
        const conflicts = new Set(conflictsOf(b, o, patch));
        for (const k of new Set([...b.keys(), ...m.keys(), ...o.keys()])) {
          const iChanged = m.get(k) !== b.get(k);
          const otherChanged = o.get(k) !== b.get(k);
          expect(merged.get(k)).toBe(iChanged ? m.get(k) : o.get(k));
          expect(conflicts.has(k)).toBe(iChanged && otherChanged && m.get(k) !== o.get(k));
        }
      }),
    );
  });

  test("hostile keys are ordinary keys", () => {
    const values = JSON.parse('{"__proto__":{"polluted":1},"constructor":1,"toJSON":"x","hasOwnProperty":2}');
    const copy = writableDocument({ fields: fieldsOf(values), cookie: { path: "/" } }, 1 << 20);
    expect(Object.keys(copy).sort()).toEqual([
      "__proto__",
      "constructor",
      "cookie",
      "hasOwnProperty",
      "toJSON",
    ]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
    expect(Object.getPrototypeOf(copy)).toBe(Object.prototype);
  });
});

describe("a changed cookie", () => {
  const cookie = { originalMaxAge: 60_000, expires: "2030-01-01T00:00:00.000Z", path: "/", httpOnly: true };
  test.each([
    ["the same", {}, false],
    ["another time of expiry, as each touch makes", { expires: "2031-01-01T00:00:00.000Z" }, false],
    ["a millisecond less of maxAge, as express-session makes", { originalMaxAge: 59_999 }, false],
    ["another maxAge", { originalMaxAge: 120_000 }, true],
    ["no maxAge", { originalMaxAge: null }, true],
    ["another path", { path: "/app" }, true],
    ["a new attribute", { sameSite: "lax" }, true],
  ])("%s", (_name, change, changed) => {
    expect(cookieChanged(cookie, { ...cookie, ...change })).toBe(changed);
  });
});
