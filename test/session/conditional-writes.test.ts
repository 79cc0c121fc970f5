/** What a write knows of the user of its session, and what it costs to know that. */
import { describe, expect, test, vi } from "vitest";
import { fieldsOf } from "../../src/data/fields.ts";
import { snapshotOf } from "../../src/data/snapshot.ts";
import { cookie, liveSet, stored } from "../live/live-set.ts";

/** Writes `after` on top of a session of `before`; returns the store's `isNewUser`, and whether the earlier data were made. */
async function written(before: object, after: object) {
  const set = liveSet();
  const key = await stored(set, "a", before);
  const found = await set.store.read(key);
  if (!found) throw new Error("Expected a stored session.");
  const current = snapshotOf(found);
  const isMade = vi.fn(() => ({}));
  Object.defineProperty(current, "data", { get: isMade });
  const replace = vi.spyOn(set.store, "replace");
  const snapshot = await set.writes.replace(key, current, { fields: fieldsOf(after), cookie }, "keep");
  expect(snapshot?.data).toEqual(after);
  const isNewUser = replace.mock.calls[0]?.at(-1);
  return { isNewUser, isMade: isMade.mock.calls.length > 0 };
}

describe("a write", () => {
  test.each([
    ["of a guest", { n: 1 }, { n: 2 }, false],
    ["that logs in", { n: 1 }, { n: 1, userId: "ada" }, true],
    ["of a user", { n: 1, userId: "ada" }, { n: 2, userId: "ada" }, false],
    ["that gives the session to another user", { userId: "ada" }, { userId: "eve" }, true],
    ["that logs out", { userId: "ada" }, { n: 1 }, false],
    [
      "over a key that is no prototype",
      JSON.parse('{"__proto__":{"userId":"ada"}}'),
      { userId: "ada" },
      true,
    ],
  ])(
    "%s knows whether the user is new, and does not parse and freeze the data of before",
    async (_, ...row) => {
      const [before, after, isNewUser] = row;
      expect(await written(before, after)).toEqual({ isNewUser, isMade: false });
    },
  );
});
