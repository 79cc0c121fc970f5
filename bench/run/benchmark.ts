/** The interface of a benchmark: something that `npm run bench` runs by its name. */
import type { Metric } from "../scenarios/scenario.ts";
import type { Measured } from "./compared.ts";

export interface Benchmark {
  readonly name: string;
  /**
   * Checks that the measured operation is right and measures it in processes of its own. Rejects if it is wrong, or
   * beyond its bound.
   */
  run(options: RunOptions): Promise<Report>;
}

/** The command line. Undefined: all, or as many as the benchmark itself says. */
export interface RunOptions {
  readonly subjects: readonly string[] | undefined;
  readonly stores: readonly string[] | undefined;
  readonly variants: readonly string[] | undefined;
  readonly rounds: number | undefined;
  /** Another checkout of the library, to compare this one with. */
  readonly before: string | undefined;
}

export interface Report {
  readonly title: string;
  /** What is measured and how, in sentences. */
  readonly about: string;
  readonly tables: readonly Table[];
  readonly notes: readonly string[];
  /** Of a scenario; else empty. */
  readonly metrics: readonly Metric[];
  readonly measured: readonly Measured[];
  /** All measurements of others. */
  readonly raw?: unknown;
}

export interface Table {
  /** Empty if there is only one. */
  readonly title: string;
  /** The header row first. */
  readonly rows: readonly (readonly string[])[];
}

export function textOf({ title, tables, notes }: Report): string {
  const blocks = tables.flatMap(({ title, rows }) => [...(title ? [title, ""] : []), tableOf(rows), ""]);
  return ["", title, "", ...blocks, ...notes].join("\n");
}

/** A table in Markdown, with the columns of a width. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
