import { BaseSequencer } from "vitest/node";

/** What takes longest on two cores: some of it is short to read. What is hard on one database is not side by side. */
const longest = [
  "test/simulation/simulation.test.ts",
  "test/stores/mongodb/store.test.ts",
  "test/promises/many-nodes.test.ts",
  "apps/chat/test/cluster.test.ts",
  "test/faults/redis.test.ts",
  "test/faults/postgres.test.ts",
  "test/faults/error-events.test.ts",
  "test/promises/late-versions.test.ts",
  "test/faults/mongodb.test.ts",
  "test/faults/mongodb-replica.test.ts",
  "test/stores/redis/store.test.ts",
  "test/stores/postgres/store.test.ts",
];

/**
 * Vitest's order, but for the longest files: it starts with those whose last run was longest, and where nothing has run yet
 * with the largest. A long file that starts last has the machine to itself.
 */
export default class LongestFirst extends BaseSequencer {
  /** @override @param {import("vitest/node").TestSpecification[]} files */
  async sort(files) {
    const sorted = await super.sort(files);
    const first = longest.flatMap((name) => sorted.filter(({ moduleId }) => moduleId.endsWith(`/${name}`)));
    return [...first, ...sorted.filter((file) => !first.includes(file))];
  }
}
