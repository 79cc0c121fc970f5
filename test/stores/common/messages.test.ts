import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { StoredEndReason } from "../../../src/session-store.ts";
import {
  beatMessage,
  changeMessage,
  clearedMessage,
  noteMessage,
  readMessage,
} from "../../../src/stores/common/messages.ts";

const anyString = fc.string({ unit: "binary" });
const publicIds = fc.array(anyString, { minLength: 1, maxLength: 3 });
const reasons = ["destroyed", "expired", "revoked", "displaced", "replaced"] satisfies StoredEndReason[];

describe("a message is read as it was written", () => {
  test("of any change, of a known write or not, and any end", () => {
    const changes = fc.oneof(
      fc.record({ kind: fc.constant("changed"), publicIds, write: anyString }),
      fc.record({ kind: fc.constant("changed"), publicIds }),
      fc.record({ kind: fc.constant("ended"), publicIds, reason: fc.constantFrom(...reasons) }),
    );
    fc.assert(
      fc.property(changes, (change) => {
        expect(readMessage(changeMessage(change))).toEqual({ kind: "change", change });
      }),
    );
  });

  test("of beats, and of the removal of all", () => {
    expect(readMessage(beatMessage("1-2-3"))).toEqual({ kind: "beat", beat: "1-2-3" });
    expect(readMessage(clearedMessage)).toEqual({ kind: "cleared" });
  });

  test("of notes, which releases before them read as a beat that they have not sent", () => {
    fc.assert(
      fc.property(anyString, (note) => {
        expect(readMessage(noteMessage(note))).toEqual({ kind: "note", note });
        expect(JSON.parse(noteMessage(note))).toEqual({ kind: "beat", beat: "", note });
      }),
    );
  });

  test("in one line, for databases and logs", () => {
    const text = changeMessage({ kind: "changed", publicIds: ["a\nb"], write: "\r\n" });
    expect(text).not.toMatch(/[\r\n]/);
  });
});

describe("a message that this release did not write", () => {
  test.each([
    ["another kind", { kind: "renamed", ids: ["a"] }],
    ["another reason of an end", { kind: "ended", ids: ["a"], reason: "merged" }],
    ["an end that one node does not know of", { kind: "ended", ids: ["a"], reason: "unverified" }],
    ["a reason that every object has", { kind: "ended", ids: ["a"], reason: "toString" }],
    ["an end without a reason", { kind: "ended", ids: ["a"] }],
    ["ids that are no texts", { kind: "changed", ids: [1] }],
    ["one id instead of several", { kind: "changed", ids: "a" }],
    ["no ids", { kind: "changed" }],
    ["a beat without a name", { kind: "beat" }],
    ["an array", [{ kind: "cleared" }]],
    ["null", null],
  ])("is unknown: %s", (_name, value) => {
    expect(readMessage(JSON.stringify(value))).toEqual({ kind: "unknown" });
  });

  test("is unknown and never throws, whatever text it is", () => {
    const texts = fc.oneof(
      anyString,
      fc.json(),
      fc.constantFrom("", "{", clearedMessage.slice(1), `${clearedMessage}x`),
    );
    fc.assert(
      fc.property(texts, (text) => {
        expect(readMessage(text)).toEqual({ kind: "unknown" });
      }),
    );
  });

  test("is read as far as it is known: additions of a newer release do no harm", () => {
    const text = JSON.stringify({ kind: "ended", ids: ["a"], reason: "revoked", by: "an operator" });
    expect(readMessage(text)).toEqual({
      kind: "change",
      change: { kind: "ended", publicIds: ["a"], reason: "revoked" },
    });
  });
});
