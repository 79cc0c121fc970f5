/** The library as it is under test: in this checkout, or in another one that it is compared with. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

interface Modules {
  ".": typeof import("socket-session");
  "./memory": typeof import("socket-session/memory");
  "./sqlite": typeof import("socket-session/sqlite");
  "./redis": typeof import("socket-session/redis");
  "./postgres": typeof import("socket-session/postgres");
  "./mongodb": typeof import("socket-session/mongodb");
}

interface Manifest {
  readonly exports: Readonly<Record<keyof Modules, { readonly "socket-session-source": string }>>;
}

/** The root of this repository. */
export const thisCheckout = fileURLToPath(new URL("../..", import.meta.url));

/** The sources of a checkout, which needs its dependencies installed. */
export function loadLibrary<Path extends keyof Modules>(
  checkout: string,
  path: Path,
): Promise<Modules[Path]> {
  const manifest: Manifest = JSON.parse(readFileSync(join(checkout, "package.json"), "utf8"));
  return import(pathToFileURL(join(checkout, manifest.exports[path]["socket-session-source"])).href);
}
