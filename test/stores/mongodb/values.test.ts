import { expect, it } from "vitest";
import { endMark } from "../../../src/stores/mongodb/documents.ts";
import { valueText } from "../../../src/stores/mongodb/values.ts";

class ObjectId {}

it.each([
  [{ resetTokens: { "tok-s3cret": [new ObjectId()] } }],
  [{ resetTokens: [{ "tok-s3cret": { deeper: new ObjectId() } }] }],
  [{ resetTokens: new ObjectId() }],
])("a value other than JSON or a date is named by its type and top-level key alone: %#", (session) => {
  const message = expect.stringMatching(/of which "resetTokens" holds a value of type ObjectId\./);
  expect(() => valueText({ n: 1, ...session })).toThrow(
    expect.objectContaining({ code: "SESSION_UNREADABLE", message }),
  );
  expect(() => valueText(session)).not.toThrow("s3cret");
});

it.each([[undefined], [Object.assign(Object.create(Object.create(null)), { n: 1 })], [1n]])(
  "a value without a class, or not an object, is named as well: %#",
  (value) => {
    expect(() => valueText({ n: value })).toThrow(expect.objectContaining({ code: "SESSION_UNREADABLE" }));
    expect(() => valueText(value)).toThrow(expect.objectContaining({ code: "SESSION_UNREADABLE" }));
  },
);

it("a long key is cut", () => {
  expect(() => valueText({ ["k".repeat(2_000_000)]: 1n })).toThrow(
    expect.objectContaining({ message: expect.stringMatching(/^.{1,400}$/) }),
  );
});

it("the mark of an end does not depend on the session that it replaces", () => {
  expect(endMark({ reason: "revoked" }, "{}")).toEqual({
    $set: { session: "{}", expires: new Date(0), socketSession: { ended: "revoked" } },
  });
});
