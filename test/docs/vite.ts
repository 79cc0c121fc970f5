import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createServer } from "vite";
import { root } from "./markdown.ts";
import { documented, replaceAll } from "./proxy.ts";

export interface ViteServer {
  readonly url: string;
  close(): Promise<void>;
}

/** Runs Vite's development server with the file of the guide before an application; `configure` may change the file. */
export async function startVite(
  application: string,
  { port, configure = (text) => text }: { port: number; configure?: (text: string) => string },
): Promise<ViteServer> {
  const folder = mkdtempSync(join(tmpdir(), "vite-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
  const text = replaceAll(documented("docs/guide/development-proxies.md", "ts"), {
    "http://localhost:3000": application,
  });
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "index.html"), "<p>a page</p>");
  const configFile = join(folder, "vite.config.ts");
  writeFileSync(configFile, configure(text));
  const vite = await createServer({
    root: folder,
    cacheDir: join(folder, "cache"),
    configFile,
    logLevel: "silent",
    server: { host: "127.0.0.1", port, strictPort: true, watch: null },
  });
  await vite.listen();
  return {
    url: `http://127.0.0.1:${port}`,
    async close() {
      await vite.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
