import { defineConfig } from "vitest/config";

/** Installs from the npm registry and so takes longer than a test should: a run of its own. */
export default defineConfig({
  test: {
    include: ["test/package/tarball/*.test.ts"],
    globalSetup: "test/package/tarball/pack.ts",
    // In continuous integration the other tests run at the same time.
    maxWorkers: 2,
    testTimeout: 240_000,
    hookTimeout: 300_000,
  },
});
