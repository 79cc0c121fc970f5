// Imported first by scripts that may be started directly and need the Node that comes with the repository: on an older one
// they would do nothing, or fail over a function that is not there. Runs on any Node from 20 on. What newer ones have added to
// a built-in module (`fs.globSync`) is not imported by name: that would fail before anything runs.
import { existsSync, realpathSync } from "node:fs";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";

const folder = dirname(fileURLToPath(import.meta.url));
const [neededMajor, neededMinor] = [24, 2];

/**
 * The refusal of Node `version` by `script`; undefined where it is new enough.
 *
 * @param {string} version @param {string} script
 */
export function unmetNeed(version, script) {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > neededMajor || (major === neededMajor && minor >= neededMinor)) return undefined;
  return [
    `Expected Node ${neededMajor}.${neededMinor} or later for ${script}; this is Node ${version}.`,
    `One comes with the repository, and is installed and used by: node scripts/setup.mjs ${script}`,
  ].join("\n");
}

const [, given = ""] = process.argv;
const started = existsSync(given) ? realpathSync(given) : given;
const need = dirname(started) === folder && unmetNeed(process.versions.node, `scripts/${basename(started)}`);
if (need) {
  console.error(need);
  process.exit(1);
}
