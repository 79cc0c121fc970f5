/** The page of costs shows what was measured last. */
import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { docs, pageOf } from "../../bench/page/page.ts";

test("the page of costs and its plots are those that the results make: npm run bench -- --page", async () => {
  const files = await pageOf();
  for (const [path, text] of files) expect(readFileSync(new URL(path, docs), "utf8"), path).toBe(text);
  const plots = readdirSync(new URL("costs/", docs)).map((name) => `costs/${name}`);
  expect(plots.sort()).toEqual([...files.keys()].filter((path) => path !== "costs.md").sort());
});
