import { isBuiltin } from "node:module";
import { describe, expect, test } from "vitest";
import { packageOf, type Source, sources } from "./sources.ts";

/**
 * The folders of `src`, and the files beside them, from what knows nothing to what knows all. A file imports from its own
 * folder and from lines above it; what stands in one line does not know its neighbours.
 */
const layers = [
  ["base"],
  ["protocol.ts"],
  ["session-store.ts", "client"],
  ["data"],
  ["live", "stores/common"],
  ["api.ts", "stores/memory.ts", "stores/sqlite", "stores/redis", "stores/postgres", "stores/mongodb"],
  ["session", "stores/express"],
  ["http", "socket"],
  ["options"],
  ["warnings", "inject-session.ts", "user-ids.ts"],
  ["user-sessions.ts", "refusals.ts", "lifecycle.ts", "session-routes.ts", "first-contact.ts", "rules.ts"],
  ["core.ts"],
  ["request-side.ts", "end-all.ts"],
  ["socket-side.ts"],
  ["live-sessions.ts"],
  ["index.ts", "testing.ts", "testing"],
];

const all = sources();
const byFile = new Map(all.map((source) => [source.file, source]));
const within = (...folders: string[]) =>
  all.filter(({ file }) => folders.some((folder) => file === folder || file.startsWith(`${folder}/`)));

/** The place of a file in `layers`, and its line's number; -1 if it has none. */
function placeOf(file: string): { place: string | undefined; layer: number } {
  const isAt = (place: string) => file === place || file.startsWith(`${place}/`);
  const layer = layers.findIndex((places) => places.some(isAt));
  return { place: layers[layer]?.find(isAt), layer };
}

/** The ways from `file` to what it imports, and to what that imports in turn, as far as `through` says. */
function* reached(
  file: string,
  through: (next: string) => boolean = () => true,
  way: readonly string[] = [file],
): Generator<{ specifier: string; way: readonly string[] }> {
  const seen = new Set<string>();
  const walk = function* (
    at: string,
    along: readonly string[],
  ): Generator<{ specifier: string; way: readonly string[] }> {
    for (const specifier of byFile.get(at)?.imports ?? []) {
      yield { specifier, way: [...along, specifier] };
      if (!byFile.has(specifier) || seen.has(specifier) || !through(specifier)) continue;
      seen.add(specifier);
      yield* walk(specifier, [...along, specifier]);
    }
  };
  yield* walk(file, way);
}

const offences = (
  files: readonly Source[],
  isForbidden: (specifier: string) => boolean,
  through?: (next: string) => boolean,
) =>
  files.flatMap(({ file }) =>
    [...reached(file, through)]
      .filter(({ specifier }) => isForbidden(specifier))
      .map(({ way }) => way.join(" → ")),
  );

describe("what the folders of src know of each other", () => {
  test("every file has a layer, and imports from its own folder or a lower one", () => {
    expect(all.filter(({ file }) => placeOf(file).layer < 0).map(({ file }) => file)).toEqual([]);
    const upward = all.flatMap(({ file, imports }) => {
      const from = placeOf(file);
      return imports
        .filter((specifier) => byFile.has(specifier))
        .filter((specifier) => {
          const to = placeOf(specifier);
          return to.place !== from.place && to.layer >= from.layer;
        })
        .map((specifier) => `${file} → ${specifier}`);
    });
    expect(upward).toEqual([]);
  });

  test("no file imports itself, however far the way round", () => {
    const circles = all.flatMap(({ file }) =>
      [...reached(file)].filter(({ specifier }) => specifier === file).map(({ way }) => way.join(" → ")),
    );
    expect(circles).toEqual([]);
  });

  test("what is live knows neither Express, Socket.IO nor a driver, nor does what it imports", () => {
    const isForbidden = (specifier: string) =>
      ["node:http", "node:https", "node:sqlite"].includes(specifier) ||
      ![undefined, "debug"].includes(packageOf(specifier));
    expect(within("live")).not.toEqual([]);
    expect(offences(within("base", "session-store.ts", "data", "live"), isForbidden)).toEqual([]);
    // The types of an application's data are its augmentation of express-session's; api.ts alone names them.
    const besidesTypes = (next: string) => next !== "api.ts";
    expect(offences(within("session"), isForbidden, besidesTypes)).toEqual([]);
  });

  test("stores know neither requests nor sockets, nor what is live", () => {
    const isForbidden = (specifier: string) => /^(live|session|http|socket|options)\//.test(specifier);
    expect(within("stores")).not.toEqual([]);
    expect(offences(within("stores"), isForbidden)).toEqual([]);
  });

  test("what a browser loads imports nothing of Node and no package", () => {
    const isForbidden = (specifier: string) => isBuiltin(specifier) || packageOf(specifier) !== undefined;
    expect(offences(within("protocol.ts", "client"), isForbidden)).toEqual([]);
  });

  test("the page's half takes from the server's the protocol alone", () => {
    const isOfServer = (specifier: string) =>
      byFile.has(specifier) && !/^(client\/|protocol\.ts$)/.test(specifier);
    expect(within("client")).not.toEqual([]);
    expect(offences(within("client"), isOfServer)).toEqual([]);
  });

  test("the suite for stores is loaded by nothing else, and needs no test runner", () => {
    const isOfSuite = (specifier: string) =>
      /^testing\//.test(specifier) || specifier.startsWith("node:assert");
    const others = all.filter(({ file }) => !isOfSuite(file));
    expect(offences(others, isOfSuite)).toEqual([]);
    const isRunner = (specifier: string) => ["node:test", "vitest"].includes(specifier);
    expect(within("testing")).not.toEqual([]);
    expect(offences(within("testing"), isRunner)).toEqual([]);
    const packages = within("testing").flatMap(({ imports }) =>
      imports.filter((one) => packageOf(one) !== undefined),
    );
    expect(packages).toEqual([]);
  });

  test("no debug output prints an error as it is, whose message may quote ids, data or credentials", () => {
    const lines = all.flatMap(({ file, text }) =>
      text.split("\n").map((line) => ({ place: `${file}: ${line.trim()}`, line })),
    );
    const output = lines.filter(({ line }) => /\bdebug\(|emitWarning\(/.test(line));
    expect(output.length).toBeGreaterThan(10);
    const isRaw = (line: string) => /%O|, (error|failure|cause)\b|\.message\b/.test(line);
    expect(output.filter(({ line }) => isRaw(line)).map(({ place }) => place)).toEqual([]);
  });

  test("every import between sources names a file that exists", () => {
    const unknown = all.flatMap(({ file, imports }) =>
      imports
        .filter((specifier) => specifier.endsWith(".ts") && !byFile.has(specifier))
        .map((specifier) => `${file} → ${specifier}`),
    );
    expect(unknown).toEqual([]);
  });
});
