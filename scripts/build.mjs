import "./needs-node.mjs";
import { readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";
import { build as bundle } from "vite";
import { root, run } from "./run.mjs";

const folder = "dist.new";
const require = createRequire(import.meta.url);

/** What browsers load, each as one module of its own. They import no package and keep no state, so that copies do no harm. */
const inBrowser = ["protocol", "client/index"];

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
      await bundleForBrowser(name);
    } else {
      const names = Object.keys(require(`${path}.js`)).join(", ");
      writeFileSync(`${path}.mjs`, `export { ${names} } from "./${basename(name)}.js";\n`);
    }
  }
  return 0;
}

/** @param {string} name */
async function bundleForBrowser(name) {
  const { NODE_ENV } = process.env;
  await bundle({
    root,
    configFile: false,
    logLevel: "warn",
    build: {
      outDir: join(folder, dirname(name)),
      emptyOutDir: false,
      target: "es2022",
      minify: false,
      lib: { entry: join("src", `${name}.ts`), formats: ["es"], fileName: () => `${basename(name)}.mjs` },
    },
  });
  // Vite has set it for this process, and the tests that it starts would run as in production.
  if (NODE_ENV === undefined) delete process.env.NODE_ENV;
}

if (import.meta.main) process.exitCode = await build();
