/** The table of security standards names what exists, and has every requirement that the sources say they keep. */
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { root } from "./markdown.ts";

const text = readFileSync(join(root, "docs/security.md"), "utf8");
const rows = text.split("\n").filter((line) => /^\| (?!---|Number|Advice)/.test(line));
const numbersOf = (line: string) =>
  [...line.matchAll(/\b\d+\.\d+(?:\.\d+)?(?= \[\d\])/g)].map(([number]) => number);

test("each row is kept, with a test that is there, or says what the application does", () => {
  expect(rows.length).toBeGreaterThan(30);
  const faults = rows.filter((row) => {
    const files = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, file = ""]) => file);
    const cells = row.split(" | ");
    const isKept = cells.at(-2) === "kept";
    if (!isKept && cells.at(-2) !== "yours") return true;
    return (isKept && files.length === 0) || files.some((file) => !existsSync(join(root, file)));
  });
  expect(faults).toEqual([]);
});

test("each requirement that the sources name has a row", () => {
  const sources = globSync("src/**/*.ts", { cwd: root }).map((file) =>
    readFileSync(join(root, file), "utf8"),
  );
  const named = sources.flatMap((source) =>
    [...source.matchAll(/ASVS (\d+\.\d+(?:\.\d+)?(?:, \d+\.\d+\.\d+)*)/g)].flatMap(([, numbers = ""]) =>
      numbers.split(", "),
    ),
  );
  const listed = rows.flatMap(numbersOf);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((number) => !listed.includes(number))).toEqual([]);
  expect(new Set(listed).size).toBe(listed.length);
});
