import { join } from "node:path";
import { defaultServerConditions } from "vite";
import { defineConfig } from "vitest/config";
import LongestFirst from "./scripts/longest-first.mjs";
import { root } from "./scripts/run.mjs";
import { services } from "./scripts/services.mjs";

/** What the quick ring leaves out: what starts programs, or lets seconds pass. */
const slow = [
  "apps/**",
  "test/docs/**",
  "test/faults/**",
  "test/promises/{administration,failures-keep-secrets,late-versions,many-nodes}.test.ts",
  "test/recipe/**",
  "test/setup/**",
  "test/simulation/command/**",
];
const never = ["**/node_modules/**", "test/package/tarball/**"];
/** What the processes that tests start have compiled: several hundred start, and compile the same packages. */
const NODE_COMPILE_CACHE = join(root, "node_modules/.cache/socket-session/compiled");
const withoutServices = { SOCKET_SESSION_MISSING: services.map(({ name }) => name).join(",") };

export default defineConfig(({ mode }) => ({
  // Tests see the sources under the package's public names, so that they need no build.
  ssr: { resolve: { conditions: ["socket-session-source", ...defaultServerConditions] } },
  test: {
    environment: "node",
    env: { SOCKET_SESSION_RING: mode, NODE_COMPILE_CACHE, ...(mode === "quick" ? withoutServices : {}) },
    pool: "forks",
    projects: [
      {
        extends: true,
        // Each worker loads the packages once, not for each file: that takes longer than most files do. A file whose tests
        // need the first of a process calls `vi.resetModules()`.
        test: {
          name: "tests",
          isolate: false,
          include: ["test/**/*.test.ts", "apps/**/*.test.ts"],
          exclude: [...never, "test/simulation/**", ...(mode === "quick" ? slow : [])],
        },
      },
      {
        extends: true,
        // What an earlier file has left open must not set timers in simulated time.
        test: {
          name: "simulation",
          isolate: true,
          include: ["test/simulation/**/*.test.ts"],
          exclude: [...never, ...(mode === "quick" ? slow : [])],
        },
      },
    ],
    // Without isolation a worker waits for its databases and processes most of the time. (The default leaves one core alone.)
    maxWorkers: mode === "quick" ? "100%" : 3,
    sequence: { sequencer: LongestFirst },
    testTimeout: 20_000,
    hookTimeout: 20_000,
    // Databases answer late where other tests keep them busy.
    expect: { poll: { timeout: 10_000 } },
  },
}));
