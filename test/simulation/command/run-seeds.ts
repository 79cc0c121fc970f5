/** Runs many seeds, and shrinks the first that fails. */
import type { Mix } from "../mix.ts";
import { mixOfSeed } from "./mixes.ts";
import { runMixes } from "./run-mixes.ts";
import { shrink } from "./shrink.ts";
import { replayCommand, type Summary, violationLines } from "./summary.ts";
import { Totals } from "./totals.ts";

export interface SeedsOptions {
  readonly from: number;
  readonly seeds: number;
  /** Of real time: no seed begins later. */
  readonly seconds: number;
  readonly mixOf: (seed: number) => Mix;
}

/** How many that fail are printed. */
const mostPrinted = 10;

/** False if something was found. */
export async function runSeeds({ from, seeds, seconds, mixOf }: SeedsOptions): Promise<boolean> {
  const totals = new Totals();
  let first: Summary | undefined;
  function* mixes(): Generator<Mix> {
    for (let seed = from; seed < from + seeds && totals.seconds < seconds; seed++) yield mixOf(seed);
  }
  await runMixes(mixes(), {
    onSummary(summary) {
      totals.add(summary);
      if (totals.seeds % 1_000 === 0) console.error(totals.line);
      if (summary.violations.length === 0) return true;
      if (totals.failed <= mostPrinted) print(summary);
      first ??= summary;
      return true;
    },
  });
  if (first) await printSmallest(first);
  console.log(totals.line);
  return totals.failed === 0;
}

function print({ mix, violations }: Summary): void {
  console.log(`seed ${mix.seed} (${mix.layer}, ${mix.database}): ${replayCommand(mix, mixOfSeed(mix.seed))}`);
  for (const line of violationLines(violations)) console.log(line);
}

async function printSmallest({ mix, violations }: Summary): Promise<void> {
  const smallest = await shrink(mix, violations);
  console.log(`The smallest mix in which seed ${mix.seed} fails the same way:`);
  print({ ...smallest, hash: "", ms: 0, steps: 0, counts: {} });
  console.log(`  ${JSON.stringify(smallest.mix)}`);
}
