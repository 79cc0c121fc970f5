/**
 * Runs the simulation, and ends with a line of figures. Exits with 1 on a violation, or on a mutant that survives.
 *
 *   npm run simulate -- --seeds 500     that many seeds, on all cores; --from K, or --from commit; --seconds S: no longer
 *   npm run simulate -- --seed K        one, with its trace; see `mixArguments` for what else can be set
 *   npm run simulate -- --mutants       whether each mutant of the product is found; --mutant NAME: only this one
 */
import { parseArgs } from "node:util";
import { checkMutants } from "./command/check-mutants.ts";
import { firstSeedOfCommit } from "./command/commit.ts";
import { adjusted, mixArguments, mixOfSeed, numberOf } from "./command/mixes.ts";
import { replay } from "./command/replay.ts";
import { runSeeds } from "./command/run-seeds.ts";
import { mutantNamed, mutants } from "./mutants/all.ts";

const { values } = parseArgs({
  options: {
    seeds: { type: "string", default: "100" },
    from: { type: "string", default: "1" }, // or "commit"
    seconds: { type: "string" },
    seed: { type: "string" },
    mutants: { type: "boolean", default: false },
    mutant: { type: "string" },
    ...mixArguments,
  },
});

const adjust = (seed: number) => adjusted(mixOfSeed(seed), values);
const isFine =
  values.mutants || values.mutant !== undefined
    ? await checkMutants(values.mutant === undefined ? mutants : [mutantNamed(values.mutant)])
    : values.seed !== undefined
      ? await replay(adjust(numberOf("seed", values.seed)))
      : await runSeeds({
          from: values.from === "commit" ? firstSeedOfCommit() : numberOf("from", values.from),
          seeds: numberOf("seeds", values.seeds),
          seconds:
            values.seconds === undefined ? Number.POSITIVE_INFINITY : numberOf("seconds", values.seconds),
          mixOf: adjust,
        });
process.exitCode = isFine ? 0 : 1;
