import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    // Tests see the sources under the package's public names, so that they need no build.
    alias: [
      { find: /^socket-session$/, replacement: source("index.ts") },
      {
        find: /^socket-session\/(memory|sqlite|redis|postgres|mongodb)$/,
        replacement: source("stores/$1.ts"),
      },
      { find: /^socket-session\/testing$/, replacement: source("testing.ts") },
    ],
  },
  test: {
    environment: "node",
    include: ["test/**/*.test.ts", "apps/**/*.test.ts"],
    exclude: ["**/node_modules/**", "test/package/tarball.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Databases answer late where other tests keep them busy.
    expect: { poll: { timeout: 10_000 } },
  },
});
