import { describe, expect, test } from "vitest";
import type { Values } from "../trace.ts";
import { judged, operation, the, values } from "./a-run.ts";
import { ownKeysOnly } from "./own-keys-only.ts";

const [append, save] = [operation("o1", "append"), operation("o2", "save", "n1")];
const begun = [the.stored(1), append.begins(10), save.begins(10)];

describe("own keys only", () => {
  test("an append, a save, and a version in which only the cookie is new", () => {
    const events = [
      the.stored(11, values(["o1"])),
      the.stored(12, values(["o1"], "o2")),
      the.stored(13, values(["o1"], "o2")),
    ];
    expect(judged(ownKeysOnly, [...begun, ...events])).toEqual([]);
  });

  test("a save that takes an append back", () => {
    expect(
      judged(ownKeysOnly, [...begun, the.stored(11, values(["o1"])), the.stored(12, values([], "o2"))]),
    ).toEqual(["12: A version of s0: list-0, register-0 changed at once."]);
  });

  test("an append that is not counted", () => {
    const uncounted: Values = { ...values(["o1"]), count: 0 };
    expect(judged(ownKeysOnly, [...begun, the.stored(11, uncounted)])).toHaveLength(1);
  });

  test("an append that is made twice", () => {
    const events = [the.stored(11, values(["o1"])), the.stored(12, values(["o1", "o1"]))];
    expect(judged(ownKeysOnly, [...begun, ...events])).toEqual(["12: A version of s0: list-0 has o1 twice."]);
  });

  test("an operation that is over can't write", () => {
    const events = [...begun, append.done(11), the.stored(12, values(["o1"]))];
    expect(judged(ownKeysOnly, events)).toEqual([
      "12: A version of s0: o1 has written list-0 after it had been acknowledged.",
    ]);
    expect(
      judged(ownKeysOnly, [...begun, append.failed(11, false), the.stored(12, values(["o1"]))]),
    ).toHaveLength(1);
  });

  test("one without an answer may write later", () => {
    expect(judged(ownKeysOnly, [...begun, append.failed(11, true), the.stored(12, values(["o1"]))])).toEqual(
      [],
    );
  });

  test("one that has not begun can't", () => {
    expect(
      judged(ownKeysOnly, [the.stored(1), the.stored(5, values(["o1"])), append.begins(10)]),
    ).toHaveLength(1);
  });

  test("what a failover sets back needs no operation", () => {
    const events = [
      ...begun,
      the.stored(11, values(["o1"])),
      the.forgotten(12, values()),
      the.stored(13, values([], "o2")),
    ];
    expect(judged(ownKeysOnly, events)).toEqual([]);
  });
});
