import { build } from "vite";
import { root } from "../package/sources.ts";

/** A module of the repository, as a bundler puts it into a page: minified, with everything that it imports. */
export async function bundle(input: string): Promise<{ code: string; modules: string[] }> {
  const built = await build({
    root,
    configFile: false,
    logLevel: "silent",
    resolve: { conditions: ["socket-session-source", "module", "browser"] },
    define: { "process.env.NODE_ENV": '"production"' },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input, preserveEntrySignatures: "strict" },
    },
  });
  const [output] = [built].flat();
  if (output === undefined || !("output" in output)) throw new Error("Vite has built nothing.");
  const [{ code, moduleIds, imports }] = output.output;
  return { code, modules: [...moduleIds, ...imports] };
}
