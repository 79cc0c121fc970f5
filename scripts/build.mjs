import "./needs-node.mjs";
import { renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { root, run } from "./run.mjs";

/** Compiles src into dist. Only a whole build takes the place of the last one, and leaves nothing of it behind. */
export async function build() {
  rmSync(join(root, "dist.new"), { recursive: true, force: true });
  const code = await run("tsc", ["-p", "tsconfig.build.json", "--outDir", "dist.new"]);
  if (code !== 0) return code;
  rmSync(join(root, "dist"), { recursive: true, force: true });
  renameSync(join(root, "dist.new"), join(root, "dist"));
  return 0;
}

if (import.meta.main) process.exitCode = await build();
