// node scripts/setup.mjs SCRIPT [ARGS...]: installs what package-lock.json lists where that is not yet installed, then
// runs SCRIPT on the Node that came along. The first part runs on the system's Node: any from 20 on, built-ins only.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./run.mjs";

const node = join(root, "node_modules", "node", "bin", process.platform === "win32" ? "node.exe" : "node");

/** @param {string} path @returns {Record<string, { version?: string, optional?: boolean }>} */
function packagesIn(path) {
  return existsSync(join(root, path)) ? JSON.parse(readFileSync(join(root, path), "utf8")).packages : {};
}

/** Whether npm's own record of node_modules holds every package of the lock file, in the same version. */
function isInstalled() {
  const installed = packagesIn("node_modules/.package-lock.json");
  return (
    existsSync(node) &&
    Object.entries(packagesIn("package-lock.json"))
      .filter(([path, { optional }]) => path.includes("node_modules/") && !optional)
      .every(([path, { version }]) => path in installed && installed[path]?.version === version)
  );
}

/**
 * npm leaves out optional packages that don't accept the Node it runs on, and the npm of the first Node 20 those for glibc
 * too: native parts of the build tools are among both. So on a system Node older than this package supports, the install
 * is left to the Node and npm of today.
 */
function installCommand() {
  const ci = ["npm", "ci", "--no-audit", "--no-fund"];
  const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
  if (major > 22 || (major === 22 && minor >= 13)) return ci;
  return ["npm", "exec", "--yes", "--package=node@24", "--package=npm@11", "--", ...ci];
}

if (!isInstalled()) {
  console.log("Installing what package-lock.json lists into node_modules (npm ci) ...");
  const [command = "npm", ...args] = installCommand();
  const code = await run(command, args);
  if (code !== 0) process.exit(code);
}

const script = process.argv.slice(2);
if (script.length > 0) process.exitCode = await run(node, script);
