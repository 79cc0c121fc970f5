/**
 * Runs the benchmarks that are named, or all, on the servers that `scripts/services.mjs` opens or variables name:
 *
 *   npm run bench
 *   npm run bench -- round-trips
 *
 * Prints their tables, and writes all that was measured to `results/`.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { howToGet, openServices } from "../scripts/services.mjs";
import { endToClose } from "./end-to-close.ts";
import { roundTrips } from "./round-trips.ts";
import { type Subject, tableOf } from "./subject.ts";

const subjects: readonly Subject[] = [roundTrips, endToClose];
const results = new URL("results/", import.meta.url);

function wantedSubjects(names: readonly string[]): readonly Subject[] {
  for (const name of names) {
    if (subjects.some((subject) => subject.name === name)) continue;
    const known = subjects.map((subject) => subject.name).join(", ");
    throw new Error(`There is no benchmark "${name}". Name some of these, or none for all: ${known}.`);
  }
  return names.length === 0 ? subjects : subjects.filter(({ name }) => names.includes(name));
}

async function run(subject: Subject): Promise<void> {
  const { title, rows, notes, raw } = await subject.run();
  console.log(["", title, "", tableOf(rows), "", ...notes].join("\n"));
  const at = new Date().toISOString();
  const machine = { node: process.version, cores: availableParallelism(), cpu: cpus()[0]?.model };
  mkdirSync(results, { recursive: true });
  const file = new URL(`${subject.name}-${at.replaceAll(":", "")}.json`, results);
  writeFileSync(file, `${JSON.stringify({ at, machine, title, notes, raw }, null, 2)}\n`);
}

const wanted = wantedSubjects(process.argv.slice(2));
// Servers have process groups of their own, so this process must end in a way that ends them too.
process.once("SIGINT", () => process.exit(130)).once("SIGTERM", () => process.exit(143));
const { env, missing, close } = await openServices();
Object.assign(process.env, env);
try {
  for (const one of missing) console.error(`${one.service.name} is missing: ${howToGet(one)}`);
  for (const subject of wanted) await run(subject);
} finally {
  await close();
}
