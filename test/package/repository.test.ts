import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { describe, expect, test } from "vitest";
import { root } from "./sources.ts";

// A copy of the sources without a repository around it has nothing to list.
const isRepository = spawnSync("git", ["rev-parse", "--git-dir"], { cwd: root }).status === 0;

function trackedFiles(): { path: string; text: string }[] {
  const options = { cwd: root, encoding: "utf8" } as const;
  return execFileSync("git", ["ls-files", "-z", "--cached", "--others", "--exclude-standard"], options)
    .split("\0")
    .filter((path) => path !== "" && existsSync(join(root, path)))
    .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));
}

describe.skipIf(!isRepository)("the files of the repository", () => {
  // Spelled so that this file doesn't hold what it looks for.
  test.each([
    ["a folder beside the repository", new RegExp(["\\.\\.", "shared\\b"].join("/")), [".ci/run"]],
    [
      "an absolute path of a working copy",
      new RegExp(`(?:^|[\\s"'\`(=:])${["", "(?:work|root)", ""].join("/")}`, "m"),
      [],
    ],
  ])("don't name %s", (_what, pattern, exempt: string[]) => {
    const offenders = trackedFiles()
      .filter(({ path, text }) => !exempt.includes(path) && pattern.test(text))
      .filter(({ path }) => !existsSync(join(root, dirname(path), "..", "shared"))); // a folder of the repository's own
    expect(offenders.map(({ path }) => path)).toEqual([]);
  });
});

describe("package-lock.json", () => {
  const lock: { packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(join(root, "package-lock.json"), "utf8"),
  );

  test("names no registry but the public default one", () => {
    const elsewhere = Object.entries(lock.packages).filter(
      ([, { resolved, link }]) =>
        !link && resolved !== undefined && !resolved.startsWith("https://registry.npmjs.org/"),
    );
    expect(elsewhere).toEqual([]);
  });

  test("holds the native parts of the tools for every platform, without which npm ci refuses it", () => {
    const locked = new Set(Object.keys(lock.packages).map((path) => path.split("node_modules/").at(-1)));
    const wanted = Object.values(lock.packages).flatMap(({ optionalDependencies = {} }) =>
      Object.keys(optionalDependencies),
    );
    expect(wanted.filter((name) => !locked.has(name))).toEqual([]);
  });
});

test("the tests run in the environment test: in production Express hides what failed", () => {
  expect(process.env.NODE_ENV).toBe("test");
});

interface LockedPackage {
  resolved?: string;
  link?: boolean;
  optionalDependencies?: Record<string, string>;
}
