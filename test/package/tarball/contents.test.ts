import { readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { expect, inject, test } from "vitest";
import { Document } from "../../docs/markdown.ts";
import { root } from "../sources.ts";

// package.json names no repository, homepage or bugs, as the project has no public address yet: what a document links to
// can be read in the tarball alone.

const { files } = inject("tarball");
const withEnd = (end: string) => files.filter((file) => file.endsWith(end));
const holds = (path: string) =>
  files.some((file) => file === path || file.startsWith(`${path.replace(/\/$/, "")}/`));
const targetOf = (file: string, target: string) =>
  normalize(join(dirname(file), target)).replaceAll("\\", "/");

test("every file that a document of the package links to is in it", () => {
  const documents = withEnd(".md");
  expect(documents).toContain("README.md");
  const links = documents
    .flatMap((file) => new Document(file).links)
    .filter(({ target }) => !/^(https?:|mailto:|#)/.test(target));
  const dead = links.filter(({ file, target }) => !holds(targetOf(file, target.split("#")[0] ?? "")));
  expect(dead.map(({ file, line, target }) => `${file}:${line}: ${target}`)).toEqual([]);
});

test("every source map leads to a source of the package", () => {
  const maps = withEnd(".map");
  expect(maps).toContain("dist/index.js.map");
  const dead = maps.filter((file) => {
    const { sources }: { sources: string[] } = JSON.parse(readFileSync(join(root, file), "utf8"));
    return sources.length === 0 || !sources.every((source) => holds(targetOf(file, source)));
  });
  expect(dead).toEqual([]);
});
