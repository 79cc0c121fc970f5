import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifest, root, subPaths } from "./sources.ts";

describe("the exports of package.json", () => {
  test.each(subPaths)(
    "%s comes from a source file, types and code alike, in both kinds of module",
    (subPath) => {
      const target = manifest.exports[subPath];
      if (target === undefined || typeof target === "string")
        throw new Error(`expected conditions of ${subPath}`);
      const source = target["socket-session-source"];
      const name = /^\.\/src\/(.*)\.ts$/.exec(source)?.[1];
      expect(target).toEqual({
        "socket-session-source": `./src/${name}.ts`,
        import: { types: `./dist/${name}.d.mts`, default: `./dist/${name}.mjs` },
        default: { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` },
      });
      // The first condition that applies is taken.
      expect(Object.keys(target)).toEqual(["socket-session-source", "import", "default"]);
      expect(Object.keys(target.import)).toEqual(["types", "default"]);
      expect(Object.keys(target.default)).toEqual(["types", "default"]);
      expect(existsSync(join(root, source)), `${source} exists`).toBe(true);
    },
  );

  test("are what TypeScript finds that does not read them (`module: commonjs`)", () => {
    const types = Object.fromEntries(
      subPaths.map((subPath) => {
        const target = manifest.exports[subPath];
        return [subPath.slice("./".length), typeof target === "object" && target.default.types];
      }),
    );
    const { "": ofPackage, ...ofSubPaths } = types;
    expect({ main: manifest.main, types: manifest.types }).toEqual({
      main: "./dist/index.js",
      types: ofPackage,
    });
    const listed = Object.entries(ofSubPaths).map(([name, path]) => [name, [path]]);
    expect(manifest.typesVersions).toEqual({ "*": Object.fromEntries(listed) });
  });

  test.each(subPaths)("%s can be imported and has named exports only", async (subPath) => {
    const exported = await import(/* @vite-ignore */ join("socket-session", subPath));
    expect(Object.keys(exported)).not.toEqual([]);
    expect(exported).not.toHaveProperty("default");
  });

  test("package.json can be read", () => {
    expect(manifest.exports["./package.json"]).toBe("./package.json");
  });
});
