// Must run on every Node from 20 on, with nothing installed: built-ins only.
import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs a command in the foreground and resolves to its exit code. The tools in node_modules/.bin come first.
 *
 * @param {string} command
 * @param {string[]} [args]
 * @param {{ cwd?: string, env?: Record<string, string>, output?: number | undefined }} [options] `cwd` is relative to the root of the
 *   repository; `output` is an open file for what the command prints.
 * @returns {Promise<number>}
 */
export function run(command, args = [], { cwd = ".", env = {}, output } = {}) {
  const path = [join(root, "node_modules", ".bin"), process.env.PATH].join(delimiter);
  const child = spawn(command, args, {
    cwd: join(root, cwd),
    env: { ...process.env, PATH: path, ...env },
    stdio: output === undefined ? "inherit" : ["ignore", output, output],
    shell: process.platform === "win32",
  });

  // A terminal sends Ctrl-C to the child as well, so this process only has to outlive it; SIGTERM reaches only this
  // process.
  const outlive = () => {};
  const forward = () => child.kill("SIGTERM");
  process.on("SIGINT", outlive).on("SIGTERM", forward);

  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", outlive).off("SIGTERM", forward);
      resolve(code ?? 1);
    });
  });
}
