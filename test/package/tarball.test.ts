import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { manifest, root } from "./sources.ts";

/** The package as it would be published, installed and used outside of this repository. */

const run = promisify(execFile);
const subPaths = Object.keys(manifest.exports).filter((subPath) => subPath !== "./package.json");
const nodeVersions = ["22", "24", "26"];
const typescriptVersions = ["5.9", "7"];

let scratch: string;
const folder = (name: string) => join(scratch, name);

/** Installs packages in a folder of their own, which is made where it is not there. */
async function install(name: string, ...packages: string[]): Promise<void> {
  await mkdir(folder(name), { recursive: true });
  // The package `node` fetches its binary in an install script, which npm runs only where it is allowed.
  const options = { private: true, allowScripts: { node: true } };
  await writeFile(join(folder(name), "package.json"), JSON.stringify(options));
  await run("npm", ["install", "--no-audit", "--no-fund", ...packages], { cwd: folder(name) });
}

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "socket-session-tarball-"));
  await run("npm", ["pack", "--pack-destination", scratch], { cwd: root });
  const tarball = (await readdir(scratch)).find((file) => file.endsWith(".tgz"));
  if (tarball === undefined) throw new Error("npm pack has left no tarball.");

  await cp(join(root, "test/package/consumer"), folder("consumer"), { recursive: true });
  await Promise.all([
    install(
      "consumer",
      ...[join(scratch, tarball), "express@5", "express-session@1", "socket.io@4"],
      ...["@types/express@5", "@types/express-session@1", "@types/node@22"],
    ),
    ...nodeVersions.map((version) => install(`node-${version}`, `node@${version}`)),
    ...typescriptVersions.map((version) => install(`typescript-${version}`, `typescript@${version}`)),
  ]);
});

afterAll(() => rm(scratch, { recursive: true, force: true }));

describe.each(nodeVersions)("on Node %s", (version) => {
  async function print(flags: string[], code: string): Promise<string> {
    const node = join(folder(`node-${version}`), "node_modules/node/bin/node");
    const { stdout } = await run(node, [...flags, "--eval", code], { cwd: folder("consumer") });
    return stdout.trim();
  }

  test("is the Node that runs", async () => {
    expect(await print([], "console.log(process.versions.node)")).toMatch(new RegExp(`^${version}\\.`));
  });

  test.each(subPaths)("%s can be imported and required, and both give the same", async (subPath) => {
    const name = join("socket-session", subPath);
    const printKeys = (expression: string) => `console.log(Object.keys(${expression}).sort().join())`;
    const imported = await print(["--input-type=module"], printKeys(`await import("${name}")`));
    const required = await print(["--input-type=commonjs"], printKeys(`require("${name}")`));
    expect(imported).not.toBe("");
    // Node adds a marker to what require() gives of some ES modules; no name of ours.
    expect(required.split(",").filter((key) => key !== "__esModule")).toEqual(imported.split(","));
  });
});

describe.each(typescriptVersions)("with TypeScript %s", (version) => {
  test("a consumer in ES modules and in CommonJS compiles", async () => {
    const tsc = join(folder(`typescript-${version}`), "node_modules/.bin/tsc");
    const { stdout } = await run(tsc, ["-p", "."], { cwd: folder("consumer") }).catch((error) => error);
    expect(stdout).toBe("");
  });
});
