import { writeFileSync } from "node:fs";

/** A Vitest reporter that leaves the counts of the run in the file named by SOCKET_SESSION_COUNTS. */
export default class CountsReporter {
  /**
   * @param {readonly import("vitest/node").TestModule[]} modules
   * @param {readonly unknown[]} unhandledErrors
   */
  onTestRunEnd(modules, unhandledErrors) {
    const file = process.env.SOCKET_SESSION_COUNTS;
    if (file === undefined) return;
    const counts = { passed: 0, failed: 0, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        // A test that is still pending at the end of the run has no result.
        counts[state === "pending" ? "failed" : state] += 1;
      }
      // A file that cannot be loaded, or a hook that throws, may leave no failed test behind.
      if (module.errors().length > 0) counts.failed += 1;
      for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
    }
    counts.failed += unhandledErrors.length;
    writeFileSync(file, JSON.stringify(counts));
  }
}
