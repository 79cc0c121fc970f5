import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { root } from "../sources.ts";
import { run } from "./install.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** The package as it would be published. */
    tarball: { path: string; files: string[] };
  }
}

/** Packs once for all files of tests, in a folder that is theirs. */
export default async function pack(project: TestProject) {
  const scratch = await mkdtemp(join(tmpdir(), "socket-session-tarball-"));
  const { stdout } = await run(
    "npm",
    ["pack", "--json", "--no-foreground-scripts", "--pack-destination", scratch],
    { cwd: root },
  );
  const [packed]: { filename: string; files: { path: string }[] }[] = JSON.parse(stdout);
  if (packed === undefined) throw new Error("npm pack has left no tarball.");
  const files = packed.files.map(({ path }) => path);
  project.provide("tarball", { path: join(scratch, packed.filename), files });
  return () => rm(scratch, { recursive: true, force: true });
}
