import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ring } from "../setup/ring.ts";
import { firstSeedOfCommit } from "./command/commit.ts";
import { mixOfSeed } from "./command/mixes.ts";
import { runMixes } from "./command/run-mixes.ts";
import { replayCommand, type Summary, violationLines } from "./command/summary.ts";
import type { Mix } from "./mix.ts";
import { mutantNamed, mutants } from "./mutants/all.ts";
import { oracles } from "./oracles/all.ts";
import { mixesOf, regressions } from "./regressions.ts";

/** The whole suite runs at the same time, and `npm run simulate` takes as long as it is given. */
const seeds = ring === "quick" ? 30 : 150;
const longestMs = 45_000;

async function summariesOf(mixes: Iterable<Mix>): Promise<Summary[]> {
  const summaries: Summary[] = [];
  await runMixes(mixes, { onSummary: (summary) => summaries.push(summary) > 0 });
  return summaries;
}

function failuresOf(summaries: readonly Summary[]): string[] {
  return summaries
    .filter(({ violations }) => violations.length > 0)
    .flatMap(({ mix, violations }) => [
      replayCommand(mix, mixOfSeed(mix.seed)),
      ...violationLines(violations),
    ]);
}

/** Of a machine that has much else to do. */
const timeout = 120_000;

describe("many nodes in simulated time", { timeout }, () => {
  it("keep every promise, in runs that each commit has of its own", async () => {
    const from = firstSeedOfCommit();
    const until = performance.now() + longestMs;
    function* mixes(): Generator<Mix> {
      for (let seed = from; seed < from + seeds && performance.now() < until; seed++) yield mixOfSeed(seed);
    }
    const summaries = await summariesOf(mixes());
    expect(failuresOf(summaries)).toEqual([]);
    expect(summaries.length).toBeGreaterThan(0);
  });

  it("does the same for the same seed, in each process", async () => {
    const mixes = [3, 4, 5, 6].map(mixOfSeed);
    const summaries = await summariesOf([...mixes, ...mixes]);
    const hashes = summaries.map(({ mix, hash }) => `${mix.seed} ${hash}`);
    expect(new Set(hashes).size).toBe(mixes.length);
  });

  describe.each(regressions())("$name: $found", (regression) => {
    const mixes = mixesOf(regression);

    it("does not come back", async () => {
      expect(failuresOf(await summariesOf(mixes))).toEqual([]);
    });

    it("would be found", async () => {
      const mutant = mutantNamed(regression.mutant);
      const found: string[] = [];
      const onSummary = ({ violations }: Summary) => {
        found.push(...violations.map(({ oracle }) => oracle));
        return !found.includes(mutant.oracle); // one of the seeds is enough
      };
      await runMixes(mixes, { mutant, onSummary });
      expect(found).toContain(mutant.oracle);
    });
  });
});

describe("the mutants", () => {
  it.each(mutants)("$name changes what is there once", ({ file, from, to }) => {
    const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
    expect(text.split(from)).toHaveLength(2);
    expect(to).not.toBe(from);
  });

  it("has one for each oracle", () => {
    expect(new Set(mutants.map(({ oracle }) => oracle))).toEqual(new Set(oracles.map(({ name }) => name)));
  });
});
