import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { root } from "./markdown.ts";

/** TypeScript of a document, or about one. */
export interface Source {
  /** How an error names it. */
  readonly name: string;
  /** The line of `name` that the code begins at. */
  readonly line: number;
  readonly extension: "ts" | "mts" | "mjs" | "js";
  readonly code: string;
}

/** The options of tsconfig.json, for files elsewhere that may be of a browser too. */
const compilerOptions = {
  target: "es2023",
  lib: ["es2024", "dom"],
  types: ["node"],
  module: "nodenext",
  moduleResolution: "nodenext",
  strict: true,
  noUncheckedIndexedAccess: true,
  exactOptionalPropertyTypes: true,
  noImplicitOverride: true,
  verbatimModuleSyntax: true,
  erasableSyntaxOnly: true,
  allowImportingTsExtensions: true,
  allowJs: true,
  checkJs: true,
  skipLibCheck: true,
  noEmit: true,
  customConditions: ["socket-session-source"],
  paths: {
    "@angular/core": [join(root, "test/docs/fixtures/angular-core.ts")],
    "@jest/globals": [join(root, "test/docs/fixtures/jest-globals.d.ts")],
  },
};

/** Compiles the sources as modules of one program, `globals` among them. Resolves to the errors, by name and line. */
export async function compile(sources: readonly Source[], globals = ""): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), "socket-session-docs-"));
  try {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "dir");
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "tsconfig.json"), JSON.stringify({ compilerOptions, include: ["sources"] }));
    mkdirSync(join(folder, "sources"));
    writeFileSync(join(folder, "sources", "globals.ts"), `${globals}\nexport {};\n`);
    for (const [index, { code, extension }] of sources.entries()) {
      writeFileSync(join(folder, "sources", `${index}.${extension}`), `${code}\nexport {};\n`);
    }
    return errorsOf(await tsc(folder), sources);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** That a type is missing where it can't be inferred, which JavaScript has no way to mend. */
const missingType = /^error TS70\d\d:/;

/** Errors may also be all over the sources of the package, which other checks are for. */
function errorsOf(output: string, sources: readonly Source[]): string[] {
  if (!/^\S+\(\d+,\d+\): error|^$/m.test(output)) return [output];
  return [...output.matchAll(/^sources\/(\w+)\.\w+\((\d+),\d+\): (error .*(?:\n .*)*)$/gm)].flatMap(
    ([, index, line, message = ""]) => {
      const source = sources[Number(index)];
      if (!source) return [`globals: ${message}`];
      if (source.extension === "mjs" && missingType.test(message)) return [];
      return [`${source.name}:${source.line + Number(line) - 1}: ${message}`];
    },
  );
}

function tsc(folder: string): Promise<string> {
  const command = join(root, "node_modules", "typescript", "bin", "tsc");
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      [command, "-p", ".", "--pretty", "false"],
      { cwd: folder },
      (_error, stdout, stderr) => resolve(stdout + stderr),
    );
  });
}
