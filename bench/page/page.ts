/** The page of costs in the documentation: `docs/costs.md` and its plots, made of the results. */
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { benchmarks } from "../benchmarks.ts";
import { tableOf } from "../run/benchmark.ts";
import { type Result, readResult } from "../run/results.ts";
import { svgOf, themes } from "./plot.ts";
import { plotted } from "./plotted.ts";
import { after, before } from "./prose.ts";
import { summaryOf } from "./summary.ts";

export const docs = new URL("../../docs/", import.meta.url);

/** Texts by their paths in `docs`. */
export type Files = ReadonlyMap<string, string>;

export async function writePage(): Promise<void> {
  rmSync(new URL("costs/", docs), { recursive: true, force: true });
  mkdirSync(new URL("costs/", docs));
  for (const [path, text] of await pageOf()) writeFileSync(new URL(path, docs), text);
}

/** A benchmark without a result is left out. */
export async function pageOf(): Promise<Files> {
  const sections: string[] = [];
  const pictures: (readonly [path: string, svg: string])[] = [];
  for (const { name } of benchmarks) {
    const result = readResult(name);
    if (!result) continue;
    const drawn = await picturesOf(name, result);
    sections.push(sectionOf(name, result, drawn.length > 0));
    pictures.push(...drawn);
  }
  const page = [before, tableOf(summaryOf(readResult)), ...sections, after];
  return new Map([["costs.md", `${page.join("\n\n")}\n`], ...pictures]);
}

function sectionOf(name: string, result: Result, isDrawn: boolean): string {
  const { title, about, tables, notes } = result;
  const blocks = tables.flatMap(({ title, rows }) => [...(title ? [`**${title}**`] : []), tableOf(rows)]);
  const closing = [...notes.map((note) => note.replace(/^\*/, "\\*")), provenance(result)].join(" ");
  return [`## ${title}`, about, ...(isDrawn ? [pictureIn(name, result)] : []), ...blocks, closing].join(
    "\n\n",
  );
}

/** In each theme; none if the benchmark has no plot. */
async function picturesOf(name: string, { measured, metrics }: Result) {
  const [metric] = metrics;
  const shown = plotted(name, measured);
  if (!metric || shown.length === 0) return [];
  return Promise.all(
    Object.entries(themes).map(
      async ([theme, colours]) =>
        [`costs/${name}-${theme}.svg`, await svgOf(shown, metric, colours)] as const,
    ),
  );
}

function pictureIn(name: string, { title, metrics }: Result): string {
  return [
    "<picture>",
    `  <source media="(prefers-color-scheme: dark)" srcset="costs/${name}-dark.svg">`,
    `  <img alt="${title}: ${metrics[0]?.title}, as in the table below." src="costs/${name}-light.svg">`,
    "</picture>",
  ].join("\n");
}

function provenance({ at, commit, machine }: Result): string {
  const { cores, cpu, node, load } = machine;
  const kind = cpu === "unknown" ? "" : ` (${cpu})`;
  return `${at.slice(0, 10)}, commit ${commit}, Node ${node.slice(1)}, ${cores} cores${kind}, load ${load} at the start.`;
}
