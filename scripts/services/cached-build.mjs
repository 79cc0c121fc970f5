// Servers built from sources of this repository: once for each version of the sources.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import fs, {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { root } from "../run.mjs";

const cache = join(root, "node_modules", ".cache", "socket-session");

/** The folder that holds, or will hold, what is built of a folder of `.ci`. @param {string} name */
function buildOf(name) {
  const cwd = join(root, ".ci", name);
  const hash = createHash("sha256").update(`${process.platform} ${process.arch}`);
  for (const file of fs.globSync("**/*", { cwd }).sort()) {
    const path = join(cwd, file);
    if (statSync(path).isFile()) hash.update(`\0${file}\0`).update(readFileSync(path));
  }
  return join(cache, `${name}-${hash.digest("hex").slice(0, 16)}`);
}

/** Whether a folder of `.ci` has been built as it is now. @param {string} name */
export const isBuilt = (name) => existsSync(buildOf(name));

/**
 * The folder with what is built of a folder of `.ci`; builds it if that has not been done. Only a whole build gets there.
 *
 * @param {string} name
 * @param {(out: string) => [command: string, ...args: string[]]} command run in the folder of `.ci`
 * @returns {Promise<string>}
 */
export async function cachedBuild(name, command) {
  const built = buildOf(name);
  if (existsSync(built)) return built;
  console.log(`Building ${name} for the tests. This takes a minute or two, once ...`);
  mkdirSync(cache, { recursive: true });
  const out = mkdtempSync(join(cache, `${name}-new-`));
  try {
    const [program, ...args] = command(out);
    await promisify(execFile)(program, args, { cwd: join(root, ".ci", name), maxBuffer: 16 * 1024 * 1024 });
    chmodSync(out, 0o755);
    // Another run may have finished the same build first.
    if (!existsSync(built)) renameSync(out, built);
  } finally {
    rmSync(out, { recursive: true, force: true });
  }
  return built;
}
