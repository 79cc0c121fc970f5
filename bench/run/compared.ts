/** What the samples of a scenario come to: the median and spread of each metric, and of each comparison with a bar. */
import type { Case, Measurement, Metric, Scenario, Variant } from "../scenarios/scenario.ts";
import { storeNamed } from "../stores/all.ts";
import { subjectNamed } from "../subjects/all.ts";
import type { Report, Table } from "./benchmark.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** One variant, as the results have it. */
export interface Measured {
  readonly variant: string;
  readonly title: string;
  readonly compare: Variant["compare"];
  readonly cases: readonly MeasuredCase[];
}

export interface MeasuredCase extends Case {
  readonly metrics: Readonly<Record<string, Spread>>;
  /** By the name of the bar's subject: the spread over the rounds, in each of which this case is compared with the bar's. */
  readonly comparisons: Readonly<Record<string, Spread>>;
  readonly samples: readonly Measurement[];
}

export function compared(
  variant: Variant,
  metrics: readonly Metric[],
  samples: ReadonlyMap<Case, readonly Measurement[]>,
): Measured {
  const cases = [...samples.keys()];
  const valuesOf = (one: Case, { name }: Metric) =>
    (samples.get(one) ?? []).map((sample) => metricOf(sample, name));
  const [main] = metrics;
  if (!main) throw new Error("Expected a scenario to have a metric.");
  const comparison = (one: Case, bar: Case) => {
    const bars = valuesOf(bar, main);
    return spreadOf(
      valuesOf(one, main).map((value, round) => {
        const beside = bars[round] ?? Number.NaN;
        return variant.compare === "ratio" ? value / beside : value - beside;
      }),
    );
  };
  return {
    variant: variant.name,
    title: variant.title,
    compare: variant.compare,
    cases: cases.map((one) => ({
      ...one,
      metrics: Object.fromEntries(metrics.map((metric) => [metric.name, spreadOf(valuesOf(one, metric))])),
      comparisons: Object.fromEntries(
        barsOf(one, variant).flatMap((subject) => {
          const bar = barFor(one, subject, cases);
          return bar ? [[subject, comparison(one, bar)]] : [];
        }),
      ),
      samples: samples.get(one) ?? [],
    })),
  };
}

/** None is compared with itself, and nothing but the library with the library before. */
function barsOf({ subject }: Case, { bars }: Variant): readonly string[] {
  return [...bars.filter((bar) => bar !== subject), ...(subject === "socket-session" ? ["before"] : [])];
}

/** The bar over the same store or its peer; or its only case, if it needs no store. */
function barFor(one: Case, subject: string, cases: readonly Case[]): Case | undefined {
  const bars = cases.filter((bar) => bar.subject === subject);
  if (subject === "bare") return bars[0];
  const { peer } = storeNamed(one.store);
  return bars.find(({ store }) => store === one.store) ?? bars.find(({ store }) => store === peer);
}

function metricOf(sample: Measurement, name: string): number {
  const value = sample[name];
  if (value === undefined) throw new Error(`Expected a sample to have the metric "${name}".`);
  return value;
}

export function reportOf(scenario: Scenario, measured: readonly Measured[], rounds: number): Report {
  return {
    title: scenario.title,
    about: scenario.about,
    tables: measured.map((one) => tableOf(scenario, one)),
    notes: [rounds === 1 ? "One round." : `${rounds} rounds: medians, with the least and the most.`],
    metrics: scenario.metrics,
    measured,
  };
}

function tableOf({ metrics }: Scenario, { title, compare, cases }: Measured): Table {
  const bars = [...new Set(cases.flatMap(({ comparisons }) => Object.keys(comparisons)))];
  const columns = bars.map((bar) => (compare === "ratio" ? `x ${bar}` : `above ${bar}`));
  const digits = compare === "ratio" ? 2 : (metrics[0]?.digits ?? 0);
  return {
    title,
    rows: [
      ["", "over", ...metrics.map(({ title }) => title), ...columns],
      ...cases.map(({ subject, store, metrics: spreads, comparisons }) => [
        subjectNamed(subject).title,
        storeNamed(store).title,
        ...metrics.map(({ name, digits }) => cell(spreads[name], digits)),
        ...bars.map((bar) => cell(comparisons[bar], digits)),
      ]),
    ],
  };
}

function cell(spread: Spread | undefined, digits: number): string {
  if (!spread) return "";
  const [median, least, most] = [spread.median, spread.least, spread.most].map((one) => one.toFixed(digits));
  return `${median} (${least} to ${most})`;
}
