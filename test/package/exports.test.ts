import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { manifest, root } from "./sources.ts";

const entries = Object.entries(manifest.exports).filter(([subPath]) => subPath !== "./package.json");

describe("the exports of package.json", () => {
  test.each(entries)("%s comes from a source file, types and code alike", (_subPath, target) => {
    if (typeof target === "string") throw new Error(`expected types and default, got only ${target}`);
    const name = target.default.replace(/^\.\/dist\//, "").replace(/\.js$/, "");
    expect(target).toEqual({ types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` });
    expect(Object.keys(target)).toEqual(["types", "default"]);
    expect(existsSync(join(root, "src", `${name}.ts`)), `src/${name}.ts exists`).toBe(true);
  });

  test.each(entries)("%s can be imported and has named exports only", async (subPath) => {
    const exported = await import(/* @vite-ignore */ join("socket-session", subPath));
    expect(Object.keys(exported)).not.toEqual([]);
    expect(exported).not.toHaveProperty("default");
  });

  test("package.json can be read", () => {
    expect(manifest.exports["./package.json"]).toBe("./package.json");
  });
});
