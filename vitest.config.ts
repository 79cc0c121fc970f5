import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";

export default defineConfig({
  // Tests see the sources under the package's public names, so that they need no build.
  ssr: { resolve: { conditions: ["socket-session-source", ...defaultServerConditions] } },
  test: {
    environment: "node",
    include: ["test/**/*.test.ts", "apps/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/package/tarball/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Databases answer late where other tests keep them busy.
    expect: { poll: { timeout: 10_000 } },
  },
});
