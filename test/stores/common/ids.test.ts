import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { escaped, hashedIfLonger, nul, unescaped } from "../../../src/stores/common/ids.ts";

/** Pieces of which ids are made that a careless escaping would mix up. */
const piece = fc.oneof(
  fc.constantFrom("~utf16~", "~sha256~", "\0", "\ud800", "\udc00", "\ufffd", "00d8", "é", "😀", "~", "a"),
  fc.string({ unit: "binary", maxLength: 4 }),
  fc.nat(0xffff).map((code) => String.fromCharCode(code)),
  fc.constantFrom("x".repeat(990), "\0".repeat(250), "é".repeat(496)),
);
const storedId = (one: string) => hashedIfLonger(one, 1_000);
const id = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));

/** Ids that are alike, one the stored form of another included. */
const pair = fc.oneof(
  fc.tuple(id, id),
  id.map((one) => [one, storedId(one)]),
  id.map((one) => [one, unescaped(one)]),
  id.map((one) => [one, one.toWellFormed()]),
  id.map((one) => [one, one.replaceAll("\0", "")]),
);

describe("the stored form of an id", () => {
  test("is no other's", () => {
    fc.assert(
      fc.property(pair, ([one = "", other = ""]) => {
        expect(storedId(one) === storedId(other)).toBe(one === other);
      }),
      { numRuns: 2_000 },
    );
  });

  test("is text that every database keeps, and indexes", () => {
    fc.assert(
      fc.property(id, (one) => {
        const text = storedId(one);
        expect(text.isWellFormed() && !text.includes("\0")).toBe(true);
        expect(Buffer.byteLength(text)).toBeLessThanOrEqual(1_000);
      }),
      { numRuns: 1_000 },
    );
  });

  test("gives the id back, unless that is too long to be kept", () => {
    fc.assert(
      fc.property(id, (one) => {
        const text = storedId(one);
        const isKept = !text.startsWith("~sha256~");
        expect(unescaped(text)).toBe(isKept ? one : text);
        if (one.length <= 248) expect(isKept).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  test("of whatever length gives the id back where it is only escaped", () => {
    fc.assert(
      fc.property(pair, ([one = "", other = ""]) => {
        expect(unescaped(escaped(one))).toBe(one);
        expect(unescaped(escaped(one, nul))).toBe(one);
        expect(escaped(one) === escaped(other)).toBe(one === other);
        expect(escaped(one, nul) === escaped(other, nul)).toBe(one === other);
      }),
      { numRuns: 1_000 },
    );
  });

  test("is hashed from the length on that is asked for", () => {
    expect(hashedIfLonger("x".repeat(80), 80)).toBe("x".repeat(80));
    expect(hashedIfLonger("x".repeat(81), 80)).toMatch(/^~sha256~[0-9a-f]{64}$/);
    expect(hashedIfLonger("x".repeat(80), 79)).not.toBe(hashedIfLonger("x".repeat(81), 79));
  });

  test("is the id itself where other packages wrote it: ordinary ids, however long within a kilobyte", () => {
    for (const one of ["", "abc", "s:a.b/c+d", "ключ", "😀", "x".repeat(1_000)])
      expect(storedId(one)).toBe(one);
  });

  test("keeps ids of more than a kilobyte apart, whichever character differs", () => {
    const long = "x".repeat(5_000);
    const alike = [long, `${long}x`, `y${long.slice(1)}`, `${long.slice(1)}y`, `${long}\0`, `${long}\ud800`];
    expect(new Set(alike.map(storedId)).size).toBe(alike.length);
    for (const one of alike) expect(storedId(storedId(one))).not.toBe(storedId(one));
  });
});
