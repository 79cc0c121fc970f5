import type { Violation } from "../judge.ts";
import type { FaultName, Mix } from "../mix.ts";

/** The result of one mix. */
export interface Summary {
  readonly mix: Mix;
  readonly violations: readonly Violation[];
  readonly hash: string;
  /** Of simulated time. */
  readonly ms: number;
  readonly steps: number;
  /** How often each kind of event is in the trace. */
  readonly counts: Readonly<Record<string, number>>;
}

export function violationLines(violations: readonly Violation[], most = 5): string[] {
  const lines = violations
    .slice(0, most)
    .map(({ oracle, at, text }) => `  ${oracle}, at ${Math.round(at)} ms: ${text}`);
  return violations.length > most ? [...lines, `  and ${violations.length - most} more`] : lines;
}

/** The differences of `mix` from `original`, the mix of its seed, as command-line arguments. */
export function replayCommand(mix: Mix, original: Mix): string {
  const args = [`--seed ${mix.seed}`];
  const without = (Object.keys(original.faults) as FaultName[]).filter((name) => !(name in mix.faults));
  if (without.length > 0) args.push(`--without "${without.join(",")}"`);
  for (const name of ["minutes", "nodes", "visitors", "skewMs", "drift", "layer", "database"] as const)
    if (mix[name] !== original[name]) args.push(`--${name} ${JSON.stringify(mix[name])}`);
  return `npm run simulate -- ${args.join(" ")}`;
}
