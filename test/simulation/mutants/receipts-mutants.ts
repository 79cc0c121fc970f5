/** Mutants of receipts: who is confirmed, and how long the others may serve the session. */
import type { Mutant } from "./mutant.ts";

export const receiptsMutants: readonly Mutant[] = [
  {
    name: "a receipt names nodes that have not answered",
    file: "src/live/nodes.ts",
    from: "return { ...reach, longestLeaseMs, own, theirs, unanswered };",
    to: "const all = known.map((node) => ({ node, sockets: [0], at: clock.now() }));\n    return { ...reach, longestLeaseMs, own: [], theirs: all, unanswered: [] };",
    oracle: "receipts",
    seeds: 60,
    layer: "core",
    database: "reference, pub/sub",
  },
  {
    name: "a receipt that is certain at once",
    file: "src/session/end-receipt.ts",
    from: "endedAt + leaseMs",
    to: "endedAt + 0 * leaseMs",
    oracle: "receipts",
    seeds: 60,
    layer: "core",
    database: "reference, pub/sub",
  },
  {
    name: "a node that came back counts as silent",
    file: "src/live/roster.ts",
    from: "if (known?.node === node) known.silentSince",
    to: "if (known?.node.id === node.id) known.silentSince",
    oracle: "receipts",
    seeds: 1,
    layer: "core",
    database: "postgres",
  },
  {
    name: "a node does not answer",
    file: "src/live/nodes.ts",
    from: 'this.#send({ kind: "answer", ask: note.ask, sockets }));',
    to: "Promise.resolve(note.ask));",
    oracle: "receipts",
    seeds: 60,
    layer: "core",
  },
];
