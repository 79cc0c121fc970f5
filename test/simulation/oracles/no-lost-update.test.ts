import { describe, expect, test } from "vitest";
import { judged, operation, the, values } from "./a-run.ts";
import { noLostUpdate } from "./no-lost-update.ts";

const [a, b] = [operation("o1", "append"), operation("o2", "append", "n1")];

describe("no lost update", () => {
  test("each acknowledged append counts", () => {
    const events = [the.stored(1), a.begins(10), the.stored(11, values(["o1"])), a.done(12), b.begins(13)];
    expect(judged(noLostUpdate, [...events, the.stored(14, values(["o1", "o2"])), b.done(15)])).toEqual([]);
  });

  test("one that was overwritten", () => {
    const events = [the.stored(1), a.begins(10), b.begins(10), the.stored(11, values(["o1"])), a.done(12)];
    expect(
      judged(noLostUpdate, [
        ...events,
        the.stored(14, values(["o2"])),
        b.done(15),
        the.stored(20, values(["o2"])),
      ]),
    ).toEqual([
      "20: s0 counts 1, which should be between 2 (acknowledged) and 2 (begun and not known to have failed).",
    ]);
  });

  test("one that counts twice", () => {
    const events = [
      the.stored(1),
      a.begins(10),
      the.stored(11, values(["o1"])),
      the.stored(12, values(["o1", "o1"])),
    ];
    expect(judged(noLostUpdate, events)).toHaveLength(1);
  });

  test("a save that was acknowledged, and never written", () => {
    const save = operation("o1", "save");
    const events = [the.stored(1), save.begins(10), save.done(20)];
    expect(judged(noLostUpdate, events)).toEqual([
      "20: n0 acknowledged o1, a save of s0, and never wrote it.",
    ]);
    const stored = [the.stored(1), save.begins(10), the.stored(15, values([], "o1")), save.done(20)];
    expect(judged(noLostUpdate, stored)).toEqual([]);
  });

  test("one that was refused, and written all the same", () => {
    const events = [the.stored(1), a.begins(10), a.failed(11, false), the.stored(12, values(["o1"]))];
    expect(judged(noLostUpdate, events)).toHaveLength(1);
  });

  test("one whose outcome is not known may count or not", () => {
    const events = [the.stored(1), a.begins(10), a.failed(11, true)];
    expect(judged(noLostUpdate, [...events, the.stored(12, values())])).toEqual([]);
    expect(judged(noLostUpdate, [...events, the.stored(12, values(["o1"]))])).toEqual([]);
  });

  test("a failover undoes what was written before it, and nothing after", () => {
    const events = [
      the.stored(1),
      a.begins(10),
      the.stored(11, values(["o1"])),
      a.done(12),
      the.forgotten(20, values()),
    ];
    expect(judged(noLostUpdate, events)).toEqual([]);
    const later = [...events, b.begins(30), the.stored(31, values(["o2"])), b.done(32)];
    expect(judged(noLostUpdate, later)).toEqual([]);
    expect(judged(noLostUpdate, [...later, the.stored(40, values())])).toHaveLength(1);
  });
});
