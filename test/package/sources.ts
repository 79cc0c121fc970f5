import { globSync, readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

interface Target {
  types: string;
  default: string;
}

export const manifest: {
  main: string;
  types: string;
  typesVersions: Record<string, Record<string, string[]>>;
  exports: Record<string, string | { "socket-session-source": string; import: Target; default: Target }>;
  dependencies: Record<string, string>;
  peerDependencies: Record<string, string>;
  peerDependenciesMeta?: Record<string, { optional?: boolean }>;
} = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What can be imported: `.` and `./name`. */
export const subPaths = Object.keys(manifest.exports).filter((subPath) => subPath !== "./package.json");

export interface Source {
  /** Relative to src, with forward slashes. */
  file: string;
  /** Without its comments. */
  text: string;
  /** Relative to src where they are relative imports, as written where they are not. Type-only ones are among them. */
  imports: string[];
}

const comments = /\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm;
const specifiers = /\b(?:from|import|require)\b\s*\(?\s*["']([^"'\n]+)["']/g;

export function sources(): Source[] {
  return globSync("**/*.ts", { cwd: join(root, "src") }).map((path) => {
    const file = path.replaceAll("\\", "/");
    const text = readFileSync(join(root, "src", path), "utf8").replaceAll(comments, "");
    const imports = [...text.matchAll(specifiers)].map(([, specifier = ""]) =>
      specifier.startsWith(".")
        ? relative(".", join(dirname(file), specifier)).replaceAll("\\", "/")
        : specifier,
    );
    return { file, text, imports };
  });
}

/** The package an import takes something from; none for a file of ours or of Node. */
export function packageOf(specifier: string): string | undefined {
  if (specifier.endsWith(".ts") || isBuiltin(specifier)) return undefined;
  return specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
}
