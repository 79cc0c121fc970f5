/** The interface of a benchmark; there is one file for each subject. */
export interface Subject {
  /** As `npm run bench -- <name>` takes it. */
  readonly name: string;
  /**
   * Checks that the measured operation is right and measures it in processes of its own. Rejects if it is wrong, or
   * beyond its bound.
   */
  run(): Promise<Report>;
}

export interface Report {
  readonly title: string;
  /** The header row first. */
  readonly rows: readonly (readonly string[])[];
  readonly notes: readonly string[];
  /** All measurements, for a file. */
  readonly raw: unknown;
}

/** A table in Markdown, with the columns of a width. */
export function tableOf(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const line = (cells: readonly string[]) =>
    `| ${widths.map((width, column) => (cells[column] ?? "").padEnd(width)).join(" | ")} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map((width) => "-".repeat(width))), ...body.map(line)].join("\n");
}
