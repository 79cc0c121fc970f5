import { defineConfig } from "vitest/config";

/** Installs from the npm registry and so takes longer than a test should: a run of its own. */
export default defineConfig({
  test: {
    include: ["test/package/tarball.test.ts"],
    testTimeout: 60_000,
    hookTimeout: 300_000,
  },
});
