/**
 * Preloaded (`--import`) into a process that is to run a mutant of the product: the one that SIMULATION_MUTANT gives, as
 * JSON. Its file is changed as it is loaded; what it was changed from has to be there once, or nothing runs.
 */
import { registerHooks } from "node:module";
import type { Mutant } from "../mutants/mutant.ts";

const { file, from, to }: Mutant = JSON.parse(process.env.SIMULATION_MUTANT ?? "{}");

registerHooks({
  load(url, context, nextLoad) {
    const loaded = nextLoad(url, context);
    if (!url.endsWith(`/${file}`)) return loaded;
    const parts = String(loaded.source).split(from);
    if (parts.length !== 2) throw new Error(`Expected the text of the mutant once in ${file}: ${from}`);
    return { ...loaded, source: parts.join(to) };
  },
});
