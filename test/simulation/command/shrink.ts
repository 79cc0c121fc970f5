/** Looks for the smallest mix in which the same oracle still finds something: fewer faults, less time, fewer nodes. */
import { judge, type Violation } from "../judge.ts";
import type { FaultName, Mix } from "../mix.ts";
import { simulate } from "../simulation.ts";

export interface Shrunk {
  readonly mix: Mix;
  readonly violations: readonly Violation[];
}

/** `found`: what was found with `mix`. */
export async function shrink(mix: Mix, found: readonly Violation[]): Promise<Shrunk> {
  const oracles = new Set(found.map(({ oracle }) => oracle));
  let smallest: Shrunk = { mix, violations: found };
  for (let isSmaller = true; isSmaller; ) {
    isSmaller = false;
    for (const candidate of smallerThan(smallest.mix)) {
      const violations = judge(await simulate(candidate)).filter(({ oracle }) => oracles.has(oracle));
      if (violations.length === 0) continue;
      smallest = { mix: candidate, violations };
      isSmaller = true;
      break;
    }
  }
  return smallest;
}

/** One step smaller each, the largest steps first. */
function* smallerThan(mix: Mix): Generator<Mix> {
  for (const name of Object.keys(mix.faults) as FaultName[]) {
    const { [name]: _off, ...faults } = mix.faults;
    yield { ...mix, faults };
  }
  if (mix.skewMs > 0) yield { ...mix, skewMs: 0 };
  if (mix.drift > 0) yield { ...mix, drift: 0 };
  if (mix.minutes > 0.25) yield { ...mix, minutes: mix.minutes / 2 };
  if (mix.visitors > 1) yield { ...mix, visitors: Math.ceil(mix.visitors / 2) };
  if (mix.nodes > 1) yield { ...mix, nodes: mix.nodes - 1 };
}
