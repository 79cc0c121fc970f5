/** Plots of a scenario's results, as SVG: a chart for each variant, a bar for each case, with the spread over the rounds. */
import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import type { Measured, MeasuredCase } from "../run/compared.ts";
import type { Metric } from "../scenarios/scenario.ts";
import { storeNamed } from "../stores/all.ts";
import { subjectNamed } from "../subjects/all.ts";

export const themes = {
  light: { text: "#1f2328", faint: "#d1d9e0", library: "#0969da", bar: "#818b98", other: "#d4a72c" },
  dark: { text: "#f0f6fc", faint: "#3d444d", library: "#4493f8", bar: "#9198a1", other: "#d29922" },
} as const;
type Theme = (typeof themes)[keyof typeof themes];

type Chart = Extract<TopLevelSpec, { vconcat: unknown }>["vconcat"][number];

/** Vega takes letters to be wider than they are, so labels are set from the left. */
const labelWidth = 310;
const plotWidth = 360;

export async function svgOf(measured: readonly Measured[], metric: Metric, theme: Theme): Promise<string> {
  const spec: TopLevelSpec = {
    vconcat: measured.map((one) => chartOf(one, metric, theme)),
    spacing: 14,
    padding: 8,
    background: "transparent",
    config: {
      font: "system-ui, -apple-system, 'Segoe UI', sans-serif",
      view: { stroke: null },
      title: { color: theme.text, anchor: "start", frame: "group", fontSize: 13, offset: 8 },
      axis: {
        labelColor: theme.text,
        titleColor: theme.text,
        domainColor: theme.faint,
        tickColor: theme.faint,
        gridColor: theme.faint,
        labelFontSize: 12,
        titleFontSize: 12,
        titleFontWeight: "normal",
      },
    },
  };
  return new View(parse(compile(spec).spec), { renderer: "none" }).toSVG();
}

function chartOf({ title, compare, cases }: Measured, metric: Metric, theme: Theme): Chart {
  const values = cases.flatMap((one) => {
    const spread = one.metrics[metric.name];
    if (!spread) return [];
    const text = textOf(one, spread.median.toFixed(metric.digits), compare, metric.digits);
    return [{ ...spread, case: labelOf(one, cases), role: roleOf(one), text }];
  });
  const roles = ["library", "bar", "other"] as const;
  const scale = { domain: [...roles], range: roles.map((role) => theme[role]) };
  return {
    ...(title === "" ? {} : { title: title.replaceAll("`", "") }),
    width: plotWidth,
    height: { step: 24 },
    data: { values },
    encoding: {
      y: {
        field: "case",
        type: "nominal",
        sort: null,
        title: null,
        axis: {
          labelAlign: "left",
          labelPadding: labelWidth,
          labelLimit: 0,
          ticks: false,
          domain: false,
        },
      },
    },
    layer: [
      {
        mark: { type: "bar", cornerRadiusEnd: 2, height: 14 },
        encoding: {
          x: {
            field: "median",
            type: "quantitative",
            title: metric.title,
            axis: { grid: false, tickCount: 5 },
          },
          color: { field: "role", type: "nominal", scale, legend: null },
        },
      },
      {
        mark: { type: "rule", color: theme.text, strokeWidth: 1 },
        encoding: { x: { field: "least", type: "quantitative" }, x2: { field: "most" } },
      },
      {
        mark: { type: "text", align: "left", dx: 6, color: theme.text, fontSize: 12 },
        encoding: { x: { field: "most", type: "quantitative" }, text: { field: "text" } },
      },
    ],
  };
}

/** With the store, where a subject has several. */
function labelOf({ subject, store }: MeasuredCase, cases: readonly MeasuredCase[]): string {
  const { title } = subjectNamed(subject);
  const isAlone = cases.filter((one) => one.subject === subject).length === 1;
  return isAlone ? title : `${title} (${storeNamed(store).title})`;
}

function roleOf({ subject }: MeasuredCase): "library" | "bar" | "other" {
  if (subject === "socket-session") return "library";
  return ["bare", "limit", "plain"].includes(subject) ? "bar" : "other";
}

/** The median, and how it compares with the first bar. */
function textOf(
  { comparisons }: MeasuredCase,
  median: string,
  compare: Measured["compare"],
  digits: number,
): string {
  const [first] = Object.entries(comparisons);
  if (!first) return median;
  const [bar, spread] = first;
  return compare === "ratio"
    ? `${median}, ${spread.median.toFixed(2)} x ${bar}`
    : `${median}, ${spread.median < 0 ? "" : "+"}${spread.median.toFixed(digits)}`;
}
