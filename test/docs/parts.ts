import type { CodeBlock, Document } from "./markdown.ts";

/** What the first line of a part says: `// file`, or `<!-- file -->`, and how it differs from being added to the file's end. */
const heading = /^(?:\/\/|<!--) ([\w./-]+\.\w+)(?:, (.*?))?(?: -->)?$/;

/**
 * The files that the blocks marked `part` make, put together as the document says. Their lines are those of the document, so that
 * an error is found there.
 *
 * Each part goes to the end of the file that its first line names. One that is said to be "on Express 4 in place of the block
 * before" replaces that where `isExpress4`, and is left out otherwise.
 */
export function putTogether(document: Document, { isExpress4 = false } = {}): Map<string, string> {
  const blocksByFile = new Map<string, CodeBlock[]>();
  for (const block of document.blocks.filter(({ info }) => info === "part")) {
    const [, file, remark] = heading.exec(block.code.split("\n")[0] ?? "") ?? [];
    if (file === undefined) throw new Error(`${block.file}:${block.line}: this part names no file.`);
    const blocks = blocksByFile.get(file) ?? [];
    blocksByFile.set(file, blocks);
    if (remark === undefined) blocks.push(block);
    else if (remark !== "on Express 4 in place of the block before")
      throw new Error(`${block.file}:${block.line}: what is "${remark}"?`);
    else if (isExpress4) blocks.splice(-1, 1, block);
  }
  return new Map([...blocksByFile].map(([file, blocks]) => [file, atTheirLines(blocks)]));
}

function atTheirLines(blocks: readonly CodeBlock[]): string {
  const lines: string[] = [];
  for (const { line, code } of blocks) {
    while (lines.length < line - 1) lines.push("");
    lines.push(...code.split("\n"));
  }
  return `${lines.join("\n")}\n`;
}

/** The lines of a diff without those of one mark: without `-` they are what it leads to. */
export const withoutLines = (mark: "-" | "+", diff: string) =>
  diff
    .split("\n")
    .filter((line) => !line.startsWith(mark))
    .map((line) => line.slice(1))
    .join("\n");

/** Makes the change of a diff, whose lines have to be in the text. */
export function applyDiff(text: string, diff: string): string {
  const before = withoutLines("+", diff);
  if (!text.includes(before)) throw new Error(`There are no lines to change:\n${before}`);
  return text.replace(before, () => withoutLines("-", diff));
}
