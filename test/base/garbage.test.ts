/** What V8 keeps of an object that nobody uses any more, by how something was remembered of it. */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { beforeAll, expect, test } from "vitest";
import { execArgv } from "../support/node-process.ts";

/** Bytes for each object, which has 1 KiB, that the frequent collections leave to the full ones. */
let left: Readonly<Record<"weakMap" | "hiddenProperty" | "set" | "passingList", number>>;

beforeAll(async () => {
  const script = fileURLToPath(new URL("fixtures/garbage.ts", import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, [...execArgv, "--expose-gc", script]);
  left = JSON.parse(stdout);
}, 60_000);

test("a hidden property leaves nothing, even if its value refers to the object", () => {
  expect(left.hiddenProperty).toBeLessThan(100);
});

test("a passing list leaves nothing of what was in it", () => {
  expect(left.passingList).toBeLessThan(100);
});

// If one of these fails with a later V8, the simpler means will do.
test("a weak map would leave all that its values refer to", () => {
  expect(left.weakMap).toBeGreaterThan(1_000);
});

test("a set would leave much of what was in it", () => {
  expect(left.set).toBeGreaterThan(300);
});
