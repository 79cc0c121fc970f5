import { describe, expect, test } from "vitest";
import { manifest, packageOf, sources } from "./sources.ts";

const imported = new Set(
  sources()
    .flatMap(({ imports }) => imports.map(packageOf))
    .filter((name) => name !== undefined),
);
const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
/** Drivers: the application makes their clients, and the stores describe what they use of them. */
const optional = Object.keys(manifest.peerDependenciesMeta ?? {});

describe("the dependencies of package.json", () => {
  test("every package that a source imports is declared", () => {
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });

  test("every declared package is imported by a source", () => {
    expect(declared.filter((name) => !optional.includes(name) && !imported.has(name))).toEqual([]);
  });

  test("no optional package is imported, not even for its types: nothing but the store in use needs its driver", () => {
    expect(optional.filter((name) => imported.has(name))).toEqual([]);
  });
});
