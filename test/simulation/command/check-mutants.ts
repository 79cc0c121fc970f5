/** Checks the oracles: the oracle named for each mutant of the product must find it. */

import type { Mix } from "../mix.ts";
import type { Mutant } from "../mutants/mutant.ts";
import { mixOfSeed } from "./mixes.ts";
import { runMixes } from "./run-mixes.ts";

interface Found {
  readonly mutant: Mutant;
  /** How many seeds it took; undefined if it survived. */
  readonly seeds: number | undefined;
  /** The oracles that found something up to then. */
  readonly by: ReadonlySet<string>;
}

/** False if one survives. */
export async function checkMutants(mutants: readonly Mutant[]): Promise<boolean> {
  let survivors = 0;
  for (const mutant of mutants) {
    const { seeds, by } = await check(mutant);
    if (seeds === undefined) survivors++;
    const outcome =
      seeds === undefined
        ? `SURVIVED ${mutant.seeds} seeds`
        : `found after ${seeds} of ${mutant.seeds} seeds`;
    console.log(`${mutant.name}: ${outcome} by ${mutant.oracle}${others(by, mutant)}`);
  }
  console.log(`${mutants.length} mutants, ${survivors} survived`);
  return survivors === 0;
}

async function check(mutant: Mutant): Promise<Found> {
  const by = new Set<string>();
  let ran = 0;
  let seeds: number | undefined;
  await runMixes(mixesFor(mutant), {
    mutant,
    onSummary({ violations }) {
      ran++;
      for (const { oracle } of violations) by.add(oracle);
      if (by.has(mutant.oracle)) seeds ??= ran;
      return seeds === undefined;
    },
  });
  return { mutant, seeds, by };
}

function* mixesFor({ seeds, layer, database }: Mutant): Generator<Mix> {
  for (let seed = 1; seed <= seeds; seed++) {
    const mix = mixOfSeed(seed);
    yield { ...mix, layer: layer ?? mix.layer, database: database ?? mix.database };
  }
}

function others(by: ReadonlySet<string>, { oracle }: Mutant): string {
  const rest = [...by].filter((one) => one !== oracle);
  return rest.length > 0 ? `; also by ${rest.join(", ")}` : "";
}
