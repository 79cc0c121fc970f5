/** Mutants of the cap on a user's sessions. */
import type { Mutant } from "./mutant.ts";

export const capMutants: readonly Mutant[] = [
  {
    name: "a login enforces the cap on itself only",
    file: "src/session/user-cap.ts",
    from: "await this.#end(beyond, user);",
    to: "await this.#end(beyond.filter(({ sid }) => sid === login.sid), user);",
    oracle: "cap",
    seeds: 60,
    layer: "core",
  },
  {
    name: "a login is refused one too early",
    file: "src/session/user-cap.ts",
    from: "const { max, whenFull } = this.#cap;",
    to: 'const { whenFull } = this.#cap; const max = this.#cap.max - (whenFull === "refuse" ? 1 : 0);',
    oracle: "cap",
    seeds: 150,
    layer: "core",
  },
];
