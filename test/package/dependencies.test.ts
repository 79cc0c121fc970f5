import { describe, expect, test } from "vitest";
import { manifest, packageOf, sources } from "./sources.ts";

const imported = new Set(
  sources()
    .flatMap(({ imports }) => imports.map(packageOf))
    .filter((name) => name !== undefined),
);
const peers = manifest.peerDependencies;
const declared = Object.keys({ ...manifest.dependencies, ...peers });
const optional = Object.keys(manifest.peerDependenciesMeta ?? {});

describe("the dependencies of package.json", () => {
  // Drivers are not: the application makes their clients, and the stores describe what they use of them.
  test("every package that a source imports is declared", () => {
    expect([...imported].filter((name) => !declared.includes(name))).toEqual([]);
  });

  test("every declared package is imported by a source, or has the types of one", () => {
    const names = declared.map((name) => name.replace(/^@types\//, ""));
    expect(names.filter((name) => !imported.has(name))).toEqual([]);
  });

  test("no optional package has a range, which npm would hold against applications that have another version", () => {
    expect(optional).not.toEqual([]);
    expect(optional.filter((name) => peers[name] !== "*")).toEqual([]);
  });
});
