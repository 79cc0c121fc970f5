import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, defaultClientConditions } from "vite";

export interface BuiltPage {
  readonly dir: string;
  remove(): Promise<void>;
}

/** Builds the page with the package's sources, into a folder of its own, so that it is never that of an earlier build. */
export async function buildPage(): Promise<BuiltPage> {
  const dir = await mkdtemp(join(tmpdir(), "chat-page-"));
  const configFile = fileURLToPath(new URL("../vite.config.ts", import.meta.url));
  const root = fileURLToPath(new URL("../page", import.meta.url));
  const resolve = { conditions: ["socket-session-source", ...defaultClientConditions] };
  await build({ configFile, root, resolve, logLevel: "warn", build: { outDir: dir } });
  return { dir, remove: () => rm(dir, { recursive: true, force: true }) };
}
