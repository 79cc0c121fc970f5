/** The judgement of the oracles on a run. */
import { longestJumpMs } from "./chaos.ts";
import { databaseKind } from "./databases/kinds.ts";
import type { Mix } from "./mix.ts";
import { judge as judgeTrace } from "./oracles/all.ts";
import type { Run } from "./simulation.ts";

/** An oracle's findings, by its name. */
export type Violation = ReturnType<typeof judgeTrace>[number];

/** Earliest first. */
export function judge({ events, mix, ms }: Run): Violation[] {
  const { feed } = databaseKind(mix.database);
  return judgeTrace({
    events,
    settings: { ...mix.settings, feed, maxSkewMs: maxSkewMs(mix, ms), cap: mix.cap },
  });
}

/** By how much a clock may be wrong at the end of the run. */
function maxSkewMs({ faults, skewMs, drift }: Mix, ms: number): number {
  return Math.max(skewMs, faults.clock ? longestJumpMs : 0) + drift * ms;
}
