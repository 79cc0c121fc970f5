// Finds programs: on PATH, in the folders that PATH of a user who is not root often lacks, and in those given.
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/**
 * The first of the programs that answers when it is asked for its version: some distributions ship one that only says
 * where to get it.
 *
 * @param {string[]} names in the order of preference
 * @param {{ versionArg?: string, folders?: string[] }} [options]
 * @returns {string | undefined}
 */
export function findOnPath(names, { versionArg = "--version", folders = [] } = {}) {
  const path = (process.env.PATH ?? "").split(delimiter);
  const all = [...path, "/usr/local/sbin", "/usr/sbin", ...folders];
  return names
    .flatMap((name) => all.map((folder) => join(folder, name)))
    .find((file) => existsSync(file) && versionOf(file, versionArg) !== undefined);
}

/** The version that a program prints. @param {string} file @param {string} [versionArg] */
export function versionOf(file, versionArg = "--version") {
  const { status, stdout, stderr } = spawnSync(file, [versionArg], { timeout: 20_000, encoding: "utf8" });
  return status === 0 ? `${stdout}${stderr}`.trim() : undefined;
}
