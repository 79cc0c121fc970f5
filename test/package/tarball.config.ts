import { defineConfig } from "vitest/config";

/** Installs from the npm registry and so takes longer than a test should: a run of its own. */
export default defineConfig({
  test: {
    include: ["test/package/tarball/*.test.ts"],
    globalSetup: "test/package/tarball/pack.ts",
    // What they start works, not they themselves.
    maxWorkers: 3,
    testTimeout: 120_000,
    hookTimeout: 300_000,
  },
});
