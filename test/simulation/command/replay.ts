/** Runs one mix in this process, and prints its trace, what the oracles say of it, and its hash. */
import { judge } from "../judge.ts";
import type { Mix } from "../mix.ts";
import { simulate } from "../simulation.ts";
import { lineOf } from "../trace.ts";
import { violationLines } from "./summary.ts";

/** False if something was found. */
export async function replay(mix: Mix): Promise<boolean> {
  const run = await simulate(mix);
  const violations = judge(run);
  for (const event of run.events) console.log(lineOf(event));
  console.log(JSON.stringify(mix));
  for (const line of violationLines(violations, 20)) console.log(line);
  const { hash, events, ms } = run;
  console.log(
    `seed ${mix.seed}, hash ${hash}: ${violations.length} violations in ${events.length} entries of ${Math.round(ms / 1_000)} simulated seconds`,
  );
  return violations.length === 0;
}
