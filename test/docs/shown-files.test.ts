/** Blocks that name a file after their language show that file. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { type CodeBlock, documents, root } from "./markdown.ts";

/** What a document shows of a file, in the order of both. */
interface Shown {
  readonly document: string;
  readonly file: string;
  readonly blocks: readonly CodeBlock[];
}

const shown: Shown[] = documents.flatMap(({ file: document, blocks }) => {
  const ofFiles = blocks.filter(({ info }) => info.startsWith("examples/"));
  return Object.entries(Object.groupBy(ofFiles, ({ info }) => info)).map(([file, blocks = []]) => {
    return { document, file, blocks };
  });
});

/** Without its head comment, in whose place the document has words of its own. */
const textOf = (file: string) => readFileSync(join(root, file), "utf8").replace(/^(?:\/\/.*\n)+/, "");

/** The rest of a file after the blocks, each of which has to follow the one before. */
function leftOut({ file, blocks }: Shown): string {
  let left = "";
  let rest = `\n${textOf(file)}`;
  for (const { code, file: document, line } of blocks) {
    const [before = "", after] = rest.split(`\n${code}\n`, 2);
    if (after === undefined)
      throw new Error(`${document}:${line}: this is not in ${file}, or not in this order.`);
    left += before;
    rest = `\n${rest.slice(before.length + code.length + 2)}`;
  }
  return left + rest;
}

test("there are some", () => {
  expect(shown.length).toBeGreaterThan(10);
});

describe.each(shown)("$document", (one) => {
  const isWhole = one.document !== "README.md" && !one.file.endsWith(".mts");
  test(`shows ${isWhole ? "all of" : "a part of"} ${one.file} as it is`, () => {
    const left = leftOut(one).trim();
    if (isWhole) expect(left).toBe("");
  });
});
