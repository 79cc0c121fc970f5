/** The table at the top of the page: the main costs in one line each, over Redis. */
import type { Measured, MeasuredCase } from "../run/compared.ts";
import type { Result } from "../run/results.ts";

interface Line {
  readonly title: string;
  readonly benchmark: string;
  readonly variant: string;
}

const lines: readonly Line[] = [
  { title: "handshake by WebSocket", benchmark: "handshake", variant: "websocket" },
  { title: "message with a read of the session", benchmark: "message", variant: "websocket" },
  { title: "request that reads 200 B", benchmark: "request", variant: "read-200b" },
  { title: "request that writes 200 B", benchmark: "request", variant: "write-200b" },
  { title: "broadcast to 4,000 sockets, for each", benchmark: "broadcast", variant: "4000" },
  { title: "socket of one session", benchmark: "memory", variant: "2000-one" },
  { title: "socket of a session of its own", benchmark: "memory", variant: "2000-each" },
  { title: "10,000 sessions of a user ended", benchmark: "mass-end", variant: "user-10000" },
];

const columns = ["bare", "limit", "plain", "recipe", "socket-session"];

/** With the header row; no more than that if there is no result for any line. */
export function summaryOf(resultOf: (benchmark: string) => Result | undefined): string[][] {
  const rows = lines.flatMap((line) => {
    const result = resultOf(line.benchmark);
    const measured = result?.measured.find(({ variant }) => variant === line.variant);
    return result && measured ? [rowOf(line, result, measured)] : [];
  });
  const head = [
    "bare Socket.IO",
    "the limit",
    "plain express-session",
    "the recipe, stale",
    "socket-session",
  ];
  return [["medians, over Redis", ...head, "compared"], ...rows];
}

function rowOf({ title }: Line, { metrics: [metric] }: Result, { compare, cases }: Measured): string[] {
  if (!metric) throw new Error("Expected a scenario to have a metric.");
  const caseOf = (subject: string) =>
    cases.find((one) => one.subject === subject && (subject === "bare" || one.store === "redis"));
  const medians = columns.map(
    (subject) => caseOf(subject)?.metrics[metric.name]?.median.toFixed(metric.digits) ?? "",
  );
  return [
    `${title}: ${metric.title}`,
    ...medians,
    comparisonOf(caseOf("socket-session"), compare, metric.digits),
  ];
}

/** With the first bar. */
function comparisonOf(ours: MeasuredCase | undefined, compare: Measured["compare"], digits: number): string {
  const [first] = Object.entries(ours?.comparisons ?? {});
  if (!first) return "";
  const [bar, { median }] = first;
  return compare === "ratio" ? `${median.toFixed(2)} x ${bar}` : `${bar} + ${median.toFixed(digits)}`;
}
