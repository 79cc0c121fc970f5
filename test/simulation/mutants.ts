/**
 * Mutants of the product: in each, a promise is broken on purpose. The oracle that is named has to find it within that many
 * seeds; an oracle without a mutant that it alone finds may be asleep.
 */
import type { Layer } from "./mix.ts";

export interface Mutant {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Text that is in the file once. */
  readonly from: string;
  readonly to: string;
  readonly oracle: string;
  readonly seeds: number;
  /** Where it shows: any layer or database if left out. */
  readonly layer?: Layer;
  readonly database?: string;
}

export const mutants: readonly Mutant[] = [
  {
    name: "livelock",
    file: "src/core/checks.ts",
    from: "if (!entry.snapshot) return Number.POSITIVE_INFINITY;",
    to: "",
    oracle: "costs",
    seeds: 60,
  },
];

export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (!mutant)
    throw new Error(`Expected one of ${mutants.map((one) => one.name).join("; ")}; it was ${name}.`);
  return mutant;
}
