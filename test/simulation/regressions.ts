/**
 * Runs that once failed, each in a file under `regressions/`: the mix as it was shrunk, so that it stays the same when the
 * mixes of seeds change, and what it has found.
 */
import { readdirSync, readFileSync } from "node:fs";
import type { Mix } from "./mix.ts";

export interface Regression {
  readonly name: string;
  /** The violation that it found, in one sentence. */
  readonly found: string;
  /** The mutant that brings it back: with it at least one of the seeds fails. */
  readonly mutant: string;
  /** How many seeds are run, from that of the mix on: what a seed draws changes with the simulation. */
  readonly seeds: number;
  readonly mix: Mix;
}

export function mixesOf({ mix, seeds }: Regression): Mix[] {
  return Array.from({ length: seeds }, (_, place) => ({ ...mix, seed: mix.seed + place }));
}

const folder = new URL("regressions/", import.meta.url);

export function regressions(): Regression[] {
  const files = readdirSync(folder).filter((file) => file.endsWith(".json"));
  return files.sort().map((file) => {
    const regression: Omit<Regression, "name"> = JSON.parse(readFileSync(new URL(file, folder), "utf8"));
    return { name: file.slice(0, -".json".length), ...regression };
  });
}
