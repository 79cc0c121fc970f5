import { expect, test } from "vitest";
import { PassingList } from "../../src/base/passing-list.ts";

test("has what was added, the last first", () => {
  const list = new PassingList<string>();
  expect(list.items()).toEqual([]);
  for (const item of ["a", "b", "c"]) list.add(item);
  expect(list.items()).toEqual(["c", "b", "a"]);
});

test.each([
  [["a", "b", "c"]],
  [["a", "c", "b"]],
  [["b", "a", "c"]],
  [["b", "c", "a"]],
  [["c", "a", "b"]],
  [["c", "b", "a"]],
])("removes %j in that order, each once", (order) => {
  const list = new PassingList<string>();
  const removeByItem = new Map(["a", "b", "c"].map((item) => [item, list.add(item)]));
  const left = new Set(["c", "b", "a"]);
  for (const item of order) {
    left.delete(item);
    for (let again = 0; again < 2; again++) {
      removeByItem.get(item)?.();
      expect(list.items()).toEqual([...left]);
    }
  }
  list.add("d");
  removeByItem.get("a")?.();
  expect(list.items()).toEqual(["d"]);
});

test("has an item as often as it was added", () => {
  const list = new PassingList<string>();
  const remove = list.add("a");
  list.add("a");
  remove();
  expect(list.items()).toEqual(["a"]);
});
