import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { execArgv } from "../../support/node-process.ts";
import { mutantNamed } from "../mutants/all.ts";
import type { Mutant } from "../mutants/mutant.ts";
import { checkMutants } from "./check-mutants.ts";

const file = (name: string) => fileURLToPath(new URL(name, import.meta.url));

interface Ended {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: string;
}

/** `npm run simulate -- …args`, of the product or a mutant of it. */
function simulate(args: readonly string[], mutant?: Mutant): Promise<Ended> {
  const preload = mutant ? ["--import", file("mutation.ts")] : [];
  const NODE_OPTIONS = [...execArgv, ...preload].join(" ");
  const env = { ...process.env, NODE_OPTIONS, SIMULATION_MUTANT: JSON.stringify(mutant ?? {}) };
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [file("../simulate.ts"), ...args],
      { env, maxBuffer: 2 ** 26 },
      (error, out, errors) => {
        resolve({ code: error ? Number(error.code) : 0, lines: out.trim().split("\n"), errors });
      },
    );
  });
}

const livelock = mutantNamed("livelock");

describe("npm run simulate", { timeout: 120_000 }, () => {
  it("ends with one line of figures, and with 0 if nothing was found", async () => {
    const { code, lines } = await simulate(["--seeds", "3", "--from", "7"]);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(
      /^3 seeds, 0 with violations; \d+\.\d simulated hours in \d+\.\d s, \d+ events; faults: /,
    );
    expect(code).toBe(0);
  });

  it("prints the command that replays a seed that fails, and its smallest mix, and ends with 1", async () => {
    const { code, lines } = await simulate(["--seeds", "20", "--layer", "core"], livelock);
    expect(code).toBe(1);
    const at = lines.findIndex((line) => line.startsWith("The smallest mix in which seed "));
    const command = /npm run simulate -- (.*)$/.exec(lines[at + 1] ?? "")?.[1] ?? "";
    expect(lines[at + 2]).toContain("Time stands still");
    const args = [...command.matchAll(/"([^"]*)"|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
    expect(args).toContain("--without"); // of its faults some do nothing for it
    const replayed = await simulate(args, livelock);
    expect(replayed.code).toBe(1);
    expect(replayed.lines.at(-1)).toMatch(/^seed \d+, hash [0-9a-f]{16}: 1 violations in \d+ entries/);
    expect((await simulate(args)).code).toBe(0);
  });

  it.each([
    [["--seed", "1", "--without", "love"], "Expected faults of pause, "],
    [["--seed", "1", "--layer", "ether"], "Expected a layer of core, "],
    [["--seed", "1", "--database", "paper"], "Expected a database of "],
    [["--seeds", "many"], "Expected a number for --seeds; it was many."],
    [["--seed", "1", "--minutes", "long"], "Expected a number for --minutes; it was long."],
    [["--mutant", "none"], "Expected one of "],
  ])("refuses %j", async (args, message) => {
    const { code, errors } = await simulate(args);
    expect(errors).toContain(message);
    expect(code).toBe(1);
  });
});

describe("the check of mutants", () => {
  it("fails when one survives", { timeout: 60_000 }, async () => {
    const equivalent = { ...livelock, name: "none at all", to: `${livelock.from} // the same`, seeds: 3 };
    expect(await checkMutants([equivalent])).toBe(false);
  });
});
