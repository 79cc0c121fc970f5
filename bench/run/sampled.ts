/**
 * The benchmark of a scenario: rounds, in each of which every case gives one sample of fresh processes.
 */
import { setTimeout as wait } from "node:timers/promises";
import type { Case, Measurement, Scenario, Variant } from "../scenarios/scenario.ts";
import { storeNamed } from "../stores/all.ts";
import type { Benchmark, RunOptions } from "./benchmark.ts";
import { compared, type Measured, reportOf } from "./compared.ts";
import { thisCheckout } from "./library.ts";
import { commitOf } from "./machine.ts";
import { isHere } from "./places.ts";
import type { SampleAnswers, SampleSetting } from "./sample-process.ts";
import { startWorker, type Worker } from "./worker.ts";

const usualRounds = 3;
const longestTurnMs = 300_000;

/** Rejects when a turn has taken too long, which is a hang. */
async function late(): Promise<never> {
  await wait(longestTurnMs, undefined, { ref: false });
  throw new Error(`Expected a turn to end within ${longestTurnMs} ms.`);
}

export function sampled(scenario: Scenario): Benchmark {
  return {
    name: scenario.name,
    async run(options) {
      const { rounds = scenario.rounds ?? usualRounds, before } = options;
      const measured: Measured[] = [];
      for (const variant of scenario.variants) {
        const cases = casesOf(variant, options);
        if (cases.length === 0) continue;
        const samples = new Map(cases.map((one) => [one, [] as Measurement[]]));
        const inOrder = cases.toSorted((a, b) => a.store.localeCompare(b.store)); // what is compared takes turns
        for (let round = 0; round < rounds; round++) {
          console.error(`${scenario.name}, ${variant.name}: round ${round + 1} of ${rounds}`);
          const taken = await samplesOf(scenario, variant, inOrder, before);
          for (const [one, sample] of taken) samples.get(one)?.push(sample);
        }
        measured.push(compared(variant, scenario.metrics, samples));
      }
      const report = reportOf(scenario, measured, rounds);
      const notes = before === undefined ? [] : [`Before: commit ${commitOf(before)}; now: ${commitOf()}.`];
      return { ...report, notes: [...report.notes, ...notes] };
    },
  };
}

/** The subject of another checkout stands beside each of this one's cases. */
function casesOf(variant: Variant, { subjects, stores, variants, before }: RunOptions): readonly Case[] {
  if (variants?.includes(variant.name) === false) return [];
  const isWanted = ({ subject, store }: Case) =>
    (subjects === undefined || subjects.includes(subject)) &&
    (stores === undefined || stores.includes(store) || subject === "bare") &&
    isHere(storeNamed(store));
  return variant.cases
    .filter(isWanted)
    .flatMap((one) =>
      before !== undefined && one.subject === "socket-session" ? [{ ...one, subject: "before" }, one] : [one],
    );
}

/** Of fresh processes, which take turns. Every other time it is in the opposite order, so that none always follows the same one. */
async function samplesOf(
  scenario: Scenario,
  variant: Variant,
  cases: readonly Case[],
  before?: string,
): Promise<Map<Case, Measurement>> {
  const workers = new Map<Case, Worker<SampleAnswers>>();
  const samples = new Map<Case, Measurement>();
  try {
    for (let turn = 0; samples.size < cases.length; turn++) {
      for (const one of turn % 2 === 0 ? cases : cases.toReversed()) {
        if (samples.has(one)) continue;
        const worker = workers.get(one) ?? startSample(scenario, variant, one, before);
        workers.set(one, worker);
        const sample = await Promise.race([worker.ask("turn"), late()]).catch((cause: unknown) => {
          const what = `${scenario.name}, ${variant.name}, ${one.subject} over ${one.store}`;
          throw new Error(`Expected to measure ${what}, but it failed.`, { cause });
        });
        if (sample) samples.set(one, sample);
      }
    }
    return samples;
  } finally {
    await Promise.all([...workers.values()].map((worker) => worker.end()));
  }
}

function startSample(
  scenario: Scenario,
  variant: Variant,
  one: Case,
  before = thisCheckout,
): Worker<SampleAnswers> {
  return startWorker<SampleAnswers>(new URL("sample-process.ts", import.meta.url), {
    scenario: scenario.name,
    variant: variant.name,
    ...one,
    checkout: one.subject === "before" ? before : thisCheckout,
    isTiny: false,
  } satisfies SampleSetting);
}
