/**
 * Mutants of the product: in each, a promise is broken on purpose. The oracle that is named has to find it within that many
 * seeds; an oracle without a mutant that it alone finds may be asleep.
 */
import { capMutants } from "./cap-mutants.ts";
import { coreMutants } from "./core-mutants.ts";
import { httpMutants } from "./http-mutants.ts";
import type { Mutant } from "./mutant.ts";
import { receiptsMutants } from "./receipts-mutants.ts";
import { recoveryMutants } from "./recovery-mutants.ts";
import { socketsMutants } from "./sockets-mutants.ts";
import { storesMutants } from "./stores-mutants.ts";
import { ticketsMutants } from "./tickets-mutants.ts";

export const mutants: readonly Mutant[] = [
  ...coreMutants,
  ...httpMutants,
  ...socketsMutants,
  ...recoveryMutants,
  ...receiptsMutants,
  ...storesMutants,
  ...ticketsMutants,
  ...capMutants,
];

export function mutantNamed(name: string): Mutant {
  const mutant = mutants.find((one) => one.name === name);
  if (!mutant)
    throw new Error(`Expected one of ${mutants.map((one) => one.name).join("; ")}; it was ${name}.`);
  return mutant;
}
