import "./needs-node.mjs";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { root, run } from "./run.mjs";

const folder = "dist.new";
const require = createRequire(import.meta.url);

/** Sources that browsers load as they are: they import nothing, so several copies do no harm. */
const inBrowser = ["protocol"];

/**
 * Compiles src into dist: CommonJS, and a thin ES module entry for each sub-path of package.json, so that there is one
 * copy of the code however it is loaded (docs/decisions/0024). Only a complete build replaces the previous one, and
 * leaves nothing of it behind. A caller that has built sets SOCKET_SESSION_BUILT.
 */
export async function build() {
  if (process.env.SOCKET_SESSION_BUILT) return 0;
  rmSync(join(root, folder), { recursive: true, force: true });
  const code =
    (await run("tsc", ["-p", "tsconfig.build.json", "--outDir", folder])) || (await buildEntries());
  if (code !== 0) return code;
  rmSync(join(root, "dist"), { recursive: true, force: true });
  renameSync(join(root, folder), join(root, "dist"));
  return 0;
}

async function buildEntries() {
  writeFileSync(join(root, folder, "package.json"), `${JSON.stringify({ type: "commonjs" })}\n`);
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  for (const entry of Object.values(exports)) {
    if (typeof entry === "string") continue;
    const name = entry.default.default.slice("./dist/".length, -".js".length);
    const path = join(root, folder, name);
    writeFileSync(`${path}.d.mts`, `export * from "./${basename(name)}.js";\n`);
    if (inBrowser.includes(name)) {
      const code = await compileForBrowser(name);
      if (code !== 0) return code;
    } else {
      const names = Object.keys(require(`${path}.js`)).join(", ");
      writeFileSync(`${path}.mjs`, `export { ${names} } from "./${basename(name)}.js";\n`);
    }
  }
  return 0;
}

/** @param {string} name */
async function compileForBrowser(name) {
  const options = ["--ignoreConfig", "--target", "es2023", "--module", "esnext"];
  const scratch = join(folder, "browser");
  const code = await run("tsc", [...options, "--outDir", scratch, join("src", `${name}.ts`)]);
  if (code === 0) renameSync(join(root, scratch, `${name}.js`), join(root, folder, `${name}.mjs`));
  rmSync(join(root, scratch), { recursive: true, force: true });
  return code;
}

if (import.meta.main) process.exitCode = await build();
