import { execFileSync } from "node:child_process";

/** The seed from which a commit's runs begin, so that each commit explores others; 1 outside of a repository. */
export function firstSeedOfCommit(): number {
  try {
    const commit = execFileSync("git", ["rev-parse", "HEAD"], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return Number.parseInt(commit.slice(0, 8), 16);
  } catch {
    return 1; // no git, or no repository
  }
}
