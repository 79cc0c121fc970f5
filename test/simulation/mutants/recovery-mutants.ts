/** Mutants of connection state recovery: by whom a socket can be recovered. */
import type { Mutant } from "./mutant.ts";

export const recoveryMutants: readonly Mutant[] = [
  {
    name: "the hash of a pid is not compared",
    file: "src/socket/recovery.ts",
    from: "return bound(namespace, random).some((one) => isSame(one, pid));",
    to: "return bound(namespace, random).some((one) => isSame(one, pid) || one !== pid);",
    oracle: "recovery",
    seeds: 30,
    layer: "sockets",
  },
  {
    name: "a pid is good in another session",
    file: "src/socket/recovery.ts",
    from: "JSON.stringify([random, namespace, sid])",
    to: "JSON.stringify([random, namespace, sid].slice(0, 2))",
    oracle: "recovery",
    seeds: 30,
    layer: "sockets",
  },
  {
    name: "a pid that is in use makes another socket",
    file: "src/socket/upstream-sockets.ts",
    from: 'if (typeof pid !== "string" || this.#inUse.has(pid)) return undefined;',
    to: 'if (typeof pid !== "string") return undefined;',
    oracle: "recovery",
    seeds: 60,
    layer: "sockets",
  },
  {
    name: "a recovered socket does not hold its pid",
    file: "src/socket/upstream-sockets.ts",
    from: "onceLeft(socket, free);",
    to: "free();",
    oracle: "recovery",
    seeds: 60,
    layer: "sockets",
  },
];
