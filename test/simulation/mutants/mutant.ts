import type { Layer } from "../mix.ts";

/** A change of the product that breaks a promise on purpose. */
export interface Mutant {
  readonly name: string;
  /** From the root of the repository. */
  readonly file: string;
  /** Text that is in the file once. */
  readonly from: string;
  readonly to: string;
  /** What has to find it, within so many seeds. */
  readonly oracle: string;
  readonly seeds: number;
  /** Where it shows: any layer or database if left out. */
  readonly layer?: Layer;
  readonly database?: string;
}
