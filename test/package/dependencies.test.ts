import { describe, expect, test } from "vitest";
import { manifest, packageOf, sources } from "./sources.ts";

const imported = new Set(
  sources()
    .flatMap(({ imports }) => imports.map(packageOf))
    .filter((name) => name !== undefined),
);
const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });

describe("the dependencies of package.json", () => {
  test("every package that a source imports is declared", () => {
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });

  test("every declared package is imported by a source", () => {
    // Types are used by the published declarations, without an import of their own.
    expect(declared.filter((name) => !name.startsWith("@types/") && !imported.has(name))).toEqual([]);
  });
});
