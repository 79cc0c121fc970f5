/** What the oracles say of a run. */
import { oracles } from "./oracles/all.ts";
import type { Run } from "./simulation.ts";

export interface Violation {
  readonly oracle: string;
  readonly at: number;
  readonly text: string;
}

export function judge({ events, mix }: Run): Violation[] {
  const facts = { events, settings: mix.settings };
  return oracles.flatMap(({ name, judge }) =>
    judge(facts).map(({ at, text }): Violation => ({ oracle: name, at, text })),
  );
}
