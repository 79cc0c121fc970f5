/** Runs mixes in processes of their own, one process for each core. */
import { type ChildProcess, fork } from "node:child_process";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { execArgv } from "../../support/node-process.ts";
import type { Mix } from "../mix.ts";
import type { Mutant } from "../mutants/mutant.ts";
import type { Summary } from "./summary.ts";

/** Of real time: a run takes about a second; one that takes so long never comes to rest. */
const patienceMs = 120_000;
/** Connections that are open when a run ends keep some of it in memory. */
const runsPerProcess = 50;
/** In MB: most of what a run makes is garbage soon, and is collected less often. */
const youngGeneration = "--max-semi-space-size=64";

export interface RunOptions {
  /** The mutant of the product to run. */
  readonly mutant?: Mutant | undefined;
  /** Called for each; false ends the whole. */
  readonly onSummary: (summary: Summary) => boolean;
}

export async function runMixes(mixes: Iterable<Mix>, options: RunOptions): Promise<void> {
  const queue = mixes[Symbol.iterator]();
  const stop = { isOver: false };
  await Promise.all(Array.from({ length: availableParallelism() }, () => work(queue, stop, options)));
}

async function work(queue: Iterator<Mix>, stop: { isOver: boolean }, options: RunOptions): Promise<void> {
  let child = start(options.mutant);
  let ran = 0;
  try {
    for (let next = queue.next(); !next.done && !stop.isOver; next = queue.next()) {
      if (++ran % runsPerProcess === 0) {
        child.kill("SIGKILL");
        child = start(options.mutant);
      }
      const summary = await answer(child, next.value);
      if (!stop.isOver && !options.onSummary(summary)) stop.isOver = true;
    }
  } finally {
    child.kill("SIGKILL");
  }
}

function start(mutant: Mutant | undefined): ChildProcess {
  const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));
  const preload = mutant === undefined ? [] : ["--import", new URL("mutation.ts", import.meta.url).href];
  const env = {
    ...process.env,
    ...(mutant === undefined ? {} : { SIMULATION_MUTANT: JSON.stringify(mutant) }),
  };
  return fork(file("worker.ts"), [], { execArgv: [...execArgv, youngGeneration, ...preload], env });
}

/** Rejects if the process ends, or does not answer: that is no violation, but a bug. */
function answer(child: ChildProcess, mix: Mix): Promise<Summary> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail("did not come to rest"), patienceMs);
    const settle = () => {
      clearTimeout(timer);
      child.off("message", done).off("exit", left);
    };
    const fail = (what: string) => {
      settle();
      reject(new Error(`The run of seed ${mix.seed} ${what}: ${JSON.stringify(mix)}`));
    };
    const done = (summary: Summary) => {
      settle();
      resolve(summary);
    };
    const left = (code: number | null) => fail(`ended its process with ${code}`);
    child.once("message", done).once("exit", left);
    child.send(mix);
  });
}
