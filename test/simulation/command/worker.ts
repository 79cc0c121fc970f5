/** A process that runs the mixes it is sent, one after another, and answers each with its result. */
import { flushCompileCache } from "node:module";
import { judge } from "../judge.ts";
import type { Mix } from "../mix.ts";
import { type Run, simulate } from "../simulation.ts";
import type { Summary } from "./summary.ts";

flushCompileCache(); // for the processes to come: this one ends by SIGKILL
process.once("disconnect", () => process.exit()); // the process that sent them is gone
process.on("message", (mix: Mix) => {
  void simulate(mix).then((run) => process.send?.(summaryOf(run)));
});

function summaryOf(run: Run): Summary {
  const counts: Record<string, number> = {};
  for (const event of run.events) {
    const name = event.kind === "fault" ? `fault: ${event.fault}` : event.kind;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return { mix: run.mix, violations: judge(run), hash: run.hash, ms: run.ms, steps: run.steps, counts };
}
