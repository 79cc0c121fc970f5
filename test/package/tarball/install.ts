import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { inject } from "vitest";

export const run = promisify(execFile);

/** A folder outside of the repository, removed after all tests. */
export const folder = (name: string) => join(dirname(inject("tarball").path), name);

/** Makes a folder with a package.json that asks for these packages. The package under test is called `socket-session`. */
export async function makeFolder(name: string, packages: readonly string[]): Promise<string> {
  await mkdir(folder(name), { recursive: true });
  const dependencies = packages.map((one) => {
    if (one === "socket-session") return [one, `file:${inject("tarball").path}`];
    const [, packageName = one, version = "latest"] = /^(.+?)@(.+)$/.exec(one) ?? [];
    return [packageName, version];
  });
  // The package `node` fetches its binary in an install script, which npm runs only where it is allowed.
  const manifest = {
    private: true,
    allowScripts: { node: true },
    dependencies: Object.fromEntries(dependencies),
  };
  await writeFile(join(folder(name), "package.json"), JSON.stringify(manifest));
  return folder(name);
}

/** Installs packages in a folder of their own. Returns it. */
export async function install(
  name: string,
  packages: readonly string[],
  ...flags: string[]
): Promise<string> {
  const cwd = await makeFolder(name, packages);
  await run("npm", ["install", "--no-audit", "--no-fund", ...flags], { cwd });
  return cwd;
}
