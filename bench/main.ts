/**
 * Runs the benchmarks that are named, or all, on the servers that `scripts/services.mjs` opens or variables name:
 *
 *   npm run bench
 *   npm run bench -- handshake message
 *   npm run bench -- request --subject plain,socket-session --store redis --variant read-200b --rounds 3
 *   npm run bench -- handshake --before ../another-checkout
 *
 * Prints their tables. Unless the run was narrowed, it writes all measurements to `results/`, and the page of costs in the
 * documentation. With `--page` it only writes that page, from the results as they are.
 */
import { parseArgs } from "node:util";
import { howToGet, openServices } from "../scripts/services.mjs";
import { benchmarks } from "./benchmarks.ts";
import { writePage } from "./page/page.ts";
import { type Benchmark, type RunOptions, textOf } from "./run/benchmark.ts";
import { commitOf, machine } from "./run/machine.ts";
import { writeResult } from "./run/results.ts";

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    subject: { type: "string" },
    store: { type: "string" },
    variant: { type: "string" },
    rounds: { type: "string" },
    before: { type: "string" },
    page: { type: "boolean" },
  },
});
const options: RunOptions = {
  subjects: values.subject?.split(","),
  stores: values.store?.split(","),
  variants: values.variant?.split(","),
  rounds: values.rounds === undefined ? undefined : Number(values.rounds),
  before: values.before,
};
const isWhole = Object.values(options).every((value) => value === undefined);

function wantedBenchmarks(names: readonly string[]): readonly Benchmark[] {
  for (const name of names) {
    if (benchmarks.some((benchmark) => benchmark.name === name)) continue;
    const known = benchmarks.map((benchmark) => benchmark.name).join(", ");
    throw new Error(`There is no benchmark "${name}". Name some of these, or none for all: ${known}.`);
  }
  return names.length === 0 ? benchmarks : benchmarks.filter(({ name }) => names.includes(name));
}

async function run(benchmark: Benchmark): Promise<void> {
  const about = { at: new Date().toISOString(), commit: commitOf(), machine: machine() };
  const report = await benchmark.run(options);
  console.log(textOf(report));
  if (isWhole) writeResult(benchmark.name, { ...about, ...report });
}

if (values.page) {
  await writePage();
  process.exit();
}
const wanted = wantedBenchmarks(positionals);
// Servers have process groups of their own, so this process must end in a way that ends them too.
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
const { env, missing, close } = await openServices();
Object.assign(process.env, env);
try {
  for (const one of missing) console.error(`${one.service.name} is missing: ${howToGet(one)}`);
  for (const benchmark of wanted) await run(benchmark);
  if (isWhole) await writePage();
} finally {
  await close();
}
