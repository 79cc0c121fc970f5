// Every check that runs no test. All of them run, even if some fail.
import "./needs-node.mjs";
import fs from "node:fs";
import { build } from "./build.mjs";
import { root, run } from "./run.mjs";

/** @type {[name: string, check: () => Promise<number>][]} */
const checks = [
  ["build", build],
  ["types", () => run("tsc", ["-p", "tsconfig.json"])],
  // Pages run in a browser, so each application has its own configuration for them.
  ...fs
    .globSync("apps/*/{.,page}/tsconfig.json", { cwd: root })
    .map(
      (path) =>
        /** @type {[string, () => Promise<number>]} */ ([
          `types: ${path}`,
          () => run("tsc", ["--noEmit", "-p", path]),
        ]),
    ),
  ["style and lint", () => run("biome", ["ci", "--error-on-warnings"])],
  ["nothing unused", () => run("knip")],
  ["package.json", () => run("publint", ["run", "--strict"])],
  ["published types", () => run("attw", ["--pack", ".", "--profile", "strict"])],
];

const failed = [];
for (const [name, check] of checks) {
  console.log(`\n--- ${name}`);
  if ((await check()) !== 0) failed.push(name);
}
console.log(failed.length === 0 ? "\nAll checks passed." : `\nFailed: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;
