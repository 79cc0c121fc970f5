import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface CodeBlock {
  /** Of the document, relative to the root. */
  readonly file: string;
  /** Of the first line of code, from 1. */
  readonly line: number;
  readonly language: string;
  /** What stands after the language, such as `fragment`. */
  readonly info: string;
  readonly code: string;
}

export interface Link {
  readonly file: string;
  readonly line: number;
  readonly target: string;
}

/** A Markdown file, read line by line: enough of the format for documents that keep to it. */
export class Document {
  readonly file: string;
  readonly blocks: CodeBlock[] = [];
  /** The lines, those of code blocks empty. */
  readonly #prose: string[] = [];

  constructor(file: string) {
    this.file = file;
    let open: { line: number; language: string; info: string; code: string[] } | undefined;
    for (const [index, line] of readFileSync(join(root, file), "utf8").split("\n").entries()) {
      const fence = /^```(\w*) *(.*)$/.exec(line);
      this.#prose.push(open || fence ? "" : line);
      if (open && line === "```") {
        this.blocks.push({ ...open, file, code: open.code.join("\n") });
        open = undefined;
      } else if (open) open.code.push(line);
      else if (fence) open = { line: index + 2, language: fence[1] ?? "", info: fence[2] ?? "", code: [] };
    }
    if (open) throw new Error(`${file}:${open.line - 1}: this code block is never closed.`);
  }

  get prose(): string {
    return this.#prose.join("\n");
  }

  /** What can follow `#` in a link, as GitHub makes it of the headings. */
  get anchors(): Set<string> {
    const anchors = new Set<string>();
    for (const { text } of this.#headings()) {
      const anchor = text
        .toLowerCase()
        .replace(/[^\p{L}\p{N}_ -]/gu, "")
        .replaceAll(" ", "-");
      let number = 0;
      while (anchors.has(number === 0 ? anchor : `${anchor}-${number}`)) number++;
      anchors.add(number === 0 ? anchor : `${anchor}-${number}`);
    }
    return anchors;
  }

  get links(): Link[] {
    const target = /\]\(([^)\s]+)\)|\b(?:src|href)="([^"]+)"/g;
    return this.#prose.flatMap((text, index) =>
      [...text.matchAll(target)].map(([, inline, attribute]) => ({
        file: this.file,
        line: index + 1,
        target: inline ?? attribute ?? "",
      })),
    );
  }

  /** Everything in `backticks` in the prose. */
  get codeSpans(): string[] {
    return [...this.prose.matchAll(/`([^`\n]+)`/g)].map(([, code = ""]) => code);
  }

  /** The rows of the first table under a heading, each as its cells. */
  table(heading: string): string[][] {
    const at = this.#headings().find(({ text }) => text === heading)?.index;
    if (at === undefined) throw new Error(`${this.file} has no heading "${heading}".`);
    const rows: string[][] = [];
    for (const line of this.#prose.slice(at + 1)) {
      if (line.startsWith("|"))
        rows.push(
          line
            .split("|")
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
      else if (rows.length > 0 || line.startsWith("#")) break;
    }
    if (rows.length < 3) throw new Error(`${this.file} has no table under "${heading}".`);
    return rows.slice(2); // after the head and its line
  }

  /** The names that a table documents: what its first cells begin with, up to a parenthesis. */
  names(heading: string): string[] {
    return this.table(heading).map(([cell = ""]) => /^`(\w+)/.exec(cell)?.[1] ?? cell);
  }

  #headings(): { text: string; index: number }[] {
    return this.#prose.flatMap((line, index) => {
      const text = /^#{1,6} (.*)$/.exec(line)?.[1];
      return text === undefined ? [] : [{ text: text.replaceAll("`", ""), index }];
    });
  }
}

export const documents: readonly Document[] = globSync("{*,docs/**/*,examples/*}.md", { cwd: root })
  .map((file) => file.replaceAll("\\", "/"))
  .sort()
  .map((file) => new Document(file));

export function documentAt(file: string): Document {
  const found = documents.find((document) => document.file === file);
  if (!found) throw new Error(`There is no ${file}.`);
  return found;
}
