/** Mutants of the cap on a user's sessions. */
import type { Mutant } from "./mutant.ts";

export const capMutants: readonly Mutant[] = [
  {
    name: "a login enforces the cap on itself only",
    file: "src/session/user-cap.ts",
    from: "found.filter((one) => !kept.includes(one)),",
    to: "found.filter((one) => !kept.includes(one) && one.sid === login.sid),",
    oracle: "cap",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a login is refused one too early",
    file: "src/session/user-cap.ts",
    from: "const kept = isRefusing ? found.slice(0, max) : found.slice(-max);",
    to: "const kept = isRefusing ? found.slice(0, max - 1) : found.slice(-max);",
    oracle: "cap",
    seeds: 150,
    layer: "core",
  },
];
