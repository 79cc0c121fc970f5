/** The last whole run of each benchmark, which the repository keeps. */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import type { Report } from "./benchmark.ts";
import type { Machine } from "./machine.ts";

export interface Result extends Report {
  readonly at: string;
  /** With `+` if the sources were not those of the commit. */
  readonly commit: string;
  readonly machine: Machine;
}

const folder = new URL("../results/", import.meta.url);
const fileOf = (name: string) => new URL(`${name}.json`, folder);

export function writeResult(name: string, result: Result): void {
  mkdirSync(folder, { recursive: true });
  writeFileSync(fileOf(name), `${JSON.stringify(result, null, 2)}\n`);
}

/** Undefined before the first whole run. */
export function readResult(name: string): Result | undefined {
  const file = fileOf(name);
  return existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : undefined;
}
