/** The last whole run of each benchmark, which the repository keeps. */
import { mkdirSync, writeFileSync } from "node:fs";
import type { Machine } from "./machine.ts";

export interface Result {
  readonly at: string;
  /** With `+` if the sources were not those of the commit. */
  readonly commit: string;
  readonly machine: Machine;
  readonly title: string;
  readonly notes: readonly string[];
  readonly raw: unknown;
}

const folder = new URL("../results/", import.meta.url);

export function writeResult(name: string, result: Result): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL(`${name}.json`, folder), `${JSON.stringify(result, null, 2)}\n`);
}
