/** A script that is started on a Node that is too old says so, instead of failing over what that Node has not got. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { unmetNeed } from "../../scripts/needs-node.mjs";
import { root } from "../../scripts/run.mjs";

const scripts = join(root, "scripts");
const textOf = (file: string) => readFileSync(join(scripts, file), "utf8");

test.each(["20.20.2", "22.13.0", "24.1.0"])(
  "Node %s is told what is needed, and how to have it",
  (version) => {
    expect(unmetNeed(version, "scripts/services.mjs")).toBe(
      `Expected Node 24.2 or later for scripts/services.mjs; this is Node ${version}.\n` +
        "One comes with the repository, and is installed and used by: node scripts/setup.mjs scripts/services.mjs",
    );
  },
);

test.each(["24.2.0", "24.21.0", "25.0.0", "26.1.0"])("Node %s is new enough", (version) => {
  expect(unmetNeed(version, "scripts/services.mjs")).toBeUndefined();
});

test("scripts that need it ask first, and import nothing by name that an older Node has not got", () => {
  const files = readdirSync(scripts, { recursive: true, encoding: "utf8" }).filter((file) =>
    file.endsWith(".mjs"),
  );
  const isNewer = /\b(globSync|import\.meta\.main)\b/;
  const needing = files.filter((file) => isNewer.test(textOf(file)) && !file.includes("services/"));
  expect(needing.sort()).toEqual(["build.mjs", "check.mjs", "needs-node.mjs", "services.mjs"]);
  for (const file of ["build.mjs", "check.mjs", "services.mjs", "test.mjs"])
    expect(textOf(file).match(/^import .*$/m)?.[0], file).toBe('import "./needs-node.mjs";');
  const byName = files.filter((file) => /import [^;]*\{[^}]*\bglobSync\b[^}]*\}/.test(textOf(file)));
  expect(byName).toEqual([]);
});
