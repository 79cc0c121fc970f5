import { expect, test } from "vitest";
import { Graph } from "./cycle.ts";

function graphOf(...edges: string[]): Graph {
  const graph = new Graph();
  for (const edge of edges) graph.add(edge.charAt(0), edge.charAt(1), edge);
  return graph;
}

const cycleOf = (...edges: string[]) =>
  graphOf(...edges)
    .smallestCycle()
    ?.map(({ why }) => why);

test("no cycle in what has an order", () => {
  expect(cycleOf("ab", "bc", "ac", "cd", "aa")).toBeUndefined();
});

test("the smallest of several", () => {
  expect(cycleOf("ab", "bc", "cd", "da", "xy", "yz", "zx")).toEqual(["xy", "yz", "zx"]);
  expect(cycleOf("ab", "bc", "cd", "da", "ca")).toEqual(["ab", "bc", "ca"]);
});

test("components, each once", () => {
  const components = graphOf("ab", "ba", "bc", "cd", "dc").components();
  expect(components.map((names) => names.sort().join("")).sort()).toEqual(["ab", "cd"]);
});

test("a path of a hundred thousand edges", () => {
  const graph = new Graph();
  for (let n = 0; n < 100_000; n++) graph.add(`${n}`, `${n + 1}`, "");
  expect(graph.smallestCycle()).toBeUndefined();
});
